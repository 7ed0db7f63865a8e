/** When what sits on drives is read: one reading at a time; what is named meanwhile is read after it. */
import type { LiveHost } from '../host/host';
import type { BlockDrive } from '../host/types';
import type { Logger } from '../log';

export interface ContentReadings {
  /** Kernel names; without names every drive. @param mayWake also drives that sleep */
  read(names: string[] | undefined, mayWake: boolean): Promise<void>;
  readSoon(names?: string[]): void;
  /** Resolves when nothing waits to be read. */
  settled(): Promise<void>;
  start(): void;
  stop(): void;
}

export function createContentReadings(parts: {
  host: Pick<LiveHost, 'blockDevices'>;
  log: Logger;
  /** An open device makes the kernel refuse what an operation wants to do with it. */
  isHeld: (driveId: string) => boolean;
  isAsleep?: (drive: BlockDrive) => Promise<boolean>;
  done: () => void;
}): ContentReadings {
  const { host, log } = parts;
  /** True: even if that wakes the drive. */
  const waiting = new Map<string, boolean>();
  let reading: Promise<void> | null = null;
  let stopped = false;

  async function readWaiting(): Promise<void> {
    await Promise.resolve(); // so that `reading` is set before the end of this function clears it
    try {
      while (waiting.size > 0 && !stopped) {
        const wanted = new Map(waiting);
        waiting.clear();
        const free = host.blockDevices
          .current()
          .filter((drive) => wanted.has(drive.kernelName) && !parts.isHeld(drive.id));
        const names = await awake(free, (drive) => wanted.get(drive.kernelName) === true);
        if (names.length > 0) await host.blockDevices.refresh(names);
        parts.done();
      }
    } finally {
      reading = null;
    }
  }

  /** Probing a drive spins it up: one that sleeps is left alone unless somebody asks for it. */
  async function awake(
    candidates: BlockDrive[],
    isAskedFor: (drive: BlockDrive) => boolean,
  ): Promise<string[]> {
    const names: string[] = [];
    for (const drive of candidates) {
      const sleeps = !isAskedFor(drive) && (await parts.isAsleep?.(drive));
      if (!sleeps) names.push(drive.kernelName);
    }
    return names;
  }

  function read(names: string[] | undefined, mayWake: boolean): Promise<void> {
    const wanted = names?.length ? names : host.blockDevices.current().map((drive) => drive.kernelName);
    if (stopped) return Promise.resolve();
    for (const name of wanted) waiting.set(name, mayWake || (waiting.get(name) ?? false));
    return (reading ??= readWaiting());
  }

  return {
    read,
    readSoon(names) {
      read(names, false).catch((error: unknown) => log.error({ error }, 'drives could not be read'));
    },
    settled: () => reading ?? Promise.resolve(),
    start: () => void (stopped = false),
    stop: () => void (stopped = true),
  };
}
