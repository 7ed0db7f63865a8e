/**
 * What was saved before a wipe is kept for a month: who misses something has noticed by then. The record stays and says
 * that its time was over.
 */
import { rmSync } from 'node:fs';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Bus } from '../events/bus';
import type { Logger } from '../log';
import type { Operations } from '../operations/types';
import { backupsBefore, markExpired } from './wipe-store';

const KEPT_MS = 30 * 86_400_000;

export interface WipeExpiryParts {
  db: Db;
  bus: Bus;
  clock: Clock;
  log: Logger;
  operations: Pick<Operations, 'holderId'>;
}

/** @returns what the clock calls. What an operation may still need is left for the next time. */
export const createWipeExpiry =
  ({ db, bus, clock, log, operations }: WipeExpiryParts) =>
  (): void => {
    const now = clock.now();
    for (const { id, driveId, path } of backupsBefore(db, now - KEPT_MS)) {
      if (operations.holderId(`drive:${driveId}`) !== null) continue;
      try {
        // The file first: a record that says it is gone while it is there would never be looked at again.
        rmSync(path, { force: true });
        markExpired(db, id, now);
        log.info(
          { drive: driveId, backup: id },
          'what was saved before a wipe was removed: its time is over',
        );
        bus.emit('drive.record', { driveId });
      } catch (error) {
        log.error({ error, drive: driveId, backup: id }, 'what was saved before a wipe could not be removed');
      }
    }
  };
