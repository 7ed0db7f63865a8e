/**
 * The health of drives: asked one after the other, each every half hour, never one that sleeps. What a drive said last is
 * kept by its id, so it is known again on another port, and while it sleeps or is away.
 *
 * Half an hour, because some drives start the count towards their sleep anew with every question.
 */
import type { DriveHealth, DriveSample, SmartCounters } from '$lib/shared/wire/drives';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import { toAppError } from '../errors';
import type { Bus } from '../events/bus';
import type { LiveHost } from '../host/host';
import { readSmart } from '../host/smart';
import type { SmartAnswer } from '../host/smart-answer';
import type { BlockDrive } from '../host/types';
import type { Logger } from '../log';
import { healthOf, type DriveAnswer } from './health-document';
import {
  firstCountersSince,
  lastReadings,
  putReading,
  samplesSince,
  thinSamples,
  type StoredReading,
} from './health-store';

const EVERY_MS = 30 * 60_000;
/** One that sleeps is looked at more often: that costs it nothing, and it is news when it wakes. */
const ASLEEP_EVERY_MS = 5 * 60_000;
const TEST_EVERY_MS = 10_000;
const MINUTE_MS = 60_000;
const WEEK_MS = 7 * 86_400_000;

export interface DriveHealths {
  of(driveId: string): DriveHealth;
  /** Oldest first. */
  history(driveId: string, sinceMs: number): DriveSample[];
  /** Counters of a week ago, or of the oldest reading since: what a growing count is compared with. */
  weekAgo(driveId: string): SmartCounters;
  /** Asks now; a drive that sleeps sleeps on. Nothing for one that is not there. */
  read(driveId: string): Promise<void>;
  /** For the clock, each minute: asks those whose turn it is. */
  readDue(): Promise<void>;
  /** For the clock, each day. */
  forgetOld(): void;
  /** Begins to ask drives as soon as they are seen. */
  start(): void;
  /** Resolves when no drive is being asked any more. */
  stop(): Promise<void>;
}

export interface DriveHealthParts {
  db: Db;
  host: Pick<LiveHost, 'commands' | 'blockDevices'>;
  bus: Bus;
  clock: Clock;
  log: Logger;
}

export function createDriveHealths(parts: DriveHealthParts): DriveHealths {
  const { db, host, bus, clock, log } = parts;
  const readings: Map<string, StoredReading> = lastReadings(db);
  /** Since it was plugged in. */
  const answers = new Map<string, DriveAnswer>();
  let end: (() => void) | null = null;
  const ending = new AbortController();
  let last: Promise<void> = Promise.resolve();

  async function ask(drive: BlockDrive): Promise<void> {
    if (ending.signal.aborted) return;
    const askedAt = clock.now();
    try {
      const answer = await readSmart(host.commands, drive, ending.signal);
      answers.set(drive.id, { ...answer, askedAt });
      followTest(drive.id, answer);
      if (answer.kind === 'reading') {
        const stored = { readAt: askedAt, reading: answer.reading };
        readings.set(drive.id, stored);
        if (drive.identity !== 'ambiguous') putReading(db, drive.id, stored);
      }
    } catch (thrown) {
      if (ending.signal.aborted) return;
      const { code, message, remedy } = toAppError(thrown);
      answers.set(drive.id, { kind: 'error', text: [message, remedy].filter(Boolean).join(' '), askedAt });
      log.warn(
        { drive: drive.id, errorCode: code, reason: message },
        'the health of a drive could not be read',
      );
    }
    bus.emit('drive.health', { driveId: drive.id });
  }

  const following = new Set<NodeJS.Timeout>();
  /** While a drive tests itself, how far it is changes every few seconds. */
  function followTest(driveId: string, answer: SmartAnswer): void {
    if (answer.kind !== 'reading' || !answer.reading.selfTest.running) return;
    const timer = setTimeout(() => {
      following.delete(timer);
      void askInTurn(present().filter((drive) => drive.id === driveId));
    }, TEST_EVERY_MS);
    following.add(timer.unref());
  }

  /** One drive at a time: they share controllers, and nobody is in a hurry. */
  function askInTurn(drives: BlockDrive[]): Promise<void> {
    for (const drive of drives)
      last = last
        .then(() => ask(drive))
        .catch((error: unknown) =>
          log.error({ error, drive: drive.id }, 'a reading of health could not be kept'),
        );
    return last;
  }

  const present = (): BlockDrive[] => host.blockDevices.current();
  function askNew(): void {
    const here = new Map(present().map((drive) => [drive.id, drive]));
    for (const id of answers.keys()) if (!here.has(id)) answers.delete(id);
    const fresh = [...here.values()].filter((drive) => !answers.has(drive.id));
    for (const drive of fresh) answers.set(drive.id, { kind: 'asked', askedAt: clock.now() });
    void askInTurn(fresh);
  }

  return {
    of: (driveId) => healthOf(answers.get(driveId), readings.get(driveId)),
    history: (driveId, sinceMs) => samplesSince(db, driveId, sinceMs),
    weekAgo: (driveId) => firstCountersSince(db, driveId, clock.now() - WEEK_MS),
    async read(driveId) {
      await askInTurn(present().filter((drive) => drive.id === driveId));
    },
    async readDue() {
      const now = clock.now();
      const able = present().filter((drive) => answers.get(drive.id)?.kind !== 'unsupported');
      const due = able
        .map((drive) => ({ drive, ...(answers.get(drive.id) ?? { kind: 'asked', askedAt: 0 }) }))
        .filter(({ kind, askedAt }) => now - askedAt >= (kind === 'standby' ? ASLEEP_EVERY_MS : EVERY_MS))
        .toSorted((a, b) => a.askedAt - b.askedAt)
        .map(({ drive }) => drive);
      await askInTurn(due.slice(0, Math.ceil((able.length * MINUTE_MS) / EVERY_MS) + 1));
    },
    forgetOld: () => thinSamples(db, clock.now()),
    start() {
      end = bus.on('drives.changed', askNew);
      askNew();
    },
    async stop() {
      ending.abort();
      for (const timer of following) clearTimeout(timer);
      end?.();
      await last;
    },
  };
}
