/** Asks the machine about pools, through their plugins, and remembers the last answer of each. */
import type { PoolReading } from '$lib/plugin-api/storage';
import { toAppError } from '../errors';
import type { PoolReadDeps } from './deps';
import type { Reading } from './document';
import { specOf } from './spec';
import type { PoolRecord } from './store';

export interface PoolReadings {
  /** By GUID; whoever changes one puts it back. */
  last: Map<string, Reading>;
  read(record: PoolRecord): Promise<void>;
  /** Its used space, put into the last reading. A pool that waits for its drives is not asked: it may never answer. */
  sample(record: PoolRecord): Promise<void>;
  /** The reading of this pool that is under way; null: none. */
  underWay(guid: string): Promise<void> | null;
  stop(): void;
}

export function createPoolReadings(
  deps: Pick<PoolReadDeps, 'host' | 'plugins' | 'drives' | 'clock' | 'log'>,
): PoolReadings {
  const { host, plugins, drives, clock, log } = deps;
  const last = new Map<string, Reading>();
  const inFlight = new Map<string, Promise<void>>();
  /** Number of the reading that {@link last} is of, by GUID. */
  const newest = new Map<string, number>();
  let count = 0;
  let stopped = false;

  const presentDrive = (driveId: string) => {
    const drive = drives.find(driveId);
    return drive?.present ? drive : null;
  };
  const mountsAt = (path: string): string =>
    JSON.stringify(host.mounts().filter((mount) => mount.path === path));

  /**
   * A pool that is mounted or unmounted while its tools read it makes them fail, or tell of before: asked once more, they tell the
   * truth.
   */
  async function ask(record: PoolRecord): Promise<PoolReading> {
    const read = (): Promise<PoolReading> => plugins.status(record.plugin, specOf(record, presentDrive));
    const before = mountsAt(record.mountPath);
    const isSame = (): boolean => stopped || mountsAt(record.mountPath) === before;
    try {
      const reading = await read();
      if (isSame()) return reading;
    } catch (error) {
      if (isSame()) throw error;
    }
    return read();
  }

  /** A pool that cannot be read is shown with the reason; it is never left out. */
  async function readNow(record: PoolRecord): Promise<void> {
    if (record.state === 'creating' || record.state === 'deleting') {
      last.delete(record.guid);
      return;
    }
    const readAt = clock.now();
    const number = ++count;
    if (stopped) return;
    /** One that was begun later may have ended before: it knows more. */
    const keep = (reading: Reading): void => {
      if ((newest.get(record.guid) ?? 0) > number) return;
      newest.set(record.guid, number);
      last.set(record.guid, reading);
    };
    try {
      const found = await ask(record);
      keep({ reading: found, error: null, readAt, drives: record.drives });
    } catch (error) {
      const { message, remedy } = toAppError(error);
      log.warn({ error, pool: record.guid }, 'a pool could not be read');
      const text = remedy ? `${message} ${remedy}` : message;
      keep({ reading: null, error: text, readAt, drives: record.drives });
    }
  }

  async function sample(record: PoolRecord): Promise<void> {
    const known = last.get(record.guid);
    const before = known?.reading;
    if (!known || !before?.mounted || before.poolStatus === 'failed' || before.poolStatus === 'missing')
      return;
    const usage = await plugins.usage(record.plugin, specOf(record, presentDrive));
    const same = usage?.usedBytes === before.usedBytes && usage.availableBytes === before.availableBytes;
    if (!usage || same || last.get(record.guid) !== known) return;
    last.set(record.guid, { ...known, reading: { ...before, ...usage }, error: null, readAt: clock.now() });
  }

  return {
    last,
    sample,
    read(record) {
      const reading = readNow(record).finally(() => {
        if (inFlight.get(record.guid) === reading) inFlight.delete(record.guid);
      });
      inFlight.set(record.guid, reading);
      return reading;
    },
    underWay: (guid) => inFlight.get(guid) ?? null,
    stop: () => void (stopped = true),
  };
}
