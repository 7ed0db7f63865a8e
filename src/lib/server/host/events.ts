/**
 * Live sources of change. Both only say "look again"; what there is to see is read by whoever hears it.
 *
 * Block devices: `udevadm monitor`. Its kernel lines need no udevd; where udevd runs, its own lines follow when links and
 * properties are there. Mount table: the kernel marks /proc/self/mountinfo with POLLPRI after every change, which Node
 * cannot wait for, so a line of perl does.
 */
import { existsSync } from 'node:fs';
import type { Bus, Events } from '../events/bus';
import type { Logger } from '../log';
import type { Commands } from './command';
import { PROGRAMS } from './programs';

const MOUNT_WATCH = String.raw`
$| = 1;
open my $table, '<', '/proc/self/mountinfo' or exit 1;
my $chunk; 1 while sysread $table, $chunk, 65536;
print "ready\n";
while (1) {
  my ($gone, $changed) = ('', '');
  vec($gone, 0, 1) = 1;
  vec($changed, fileno $table, 1) = 1;
  next unless select($gone, undef, $changed, undef) > 0;
  exit 0 if vec($gone, 0, 1);
  print "changed\n" if vec($changed, fileno $table, 1);
}
`.trim();

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;
/** A watched service that was started again is followed soon. */
const LONGEST_WATCH_PAUSE_MS = 5_000;
/** Far more than any machine has to tell. */
const MOST_LINES = 2_000;
/** A source that lived this long starts its back-off anew. */
const STEADY_MS = 10_000;
const READY_TIMEOUT_MS = 3_000;
/** How often it is looked whether what a source needs is there now. */
const NEEDS_MS = 2_000;
const GATHER_MS = 100;

const EVENT = /^(?:KERNEL|UDEV) *\[[\d.]+\] +[a-z]+ +(\S+) +\(block\)$/;
/** `/devices/virtual/block/loop0/loop0p1` names the drive loop0. */
const DRIVE = /\/block\/([^/]+)(?:\/[^/]+)?$/;

/** Kernel name of the drive that a line of `udevadm monitor` is about; null for its heading and empty lines. */
export function driveOfEvent(line: string): string | null {
  const devicePath = EVENT.exec(line)?.[1];
  return (devicePath && DRIVE.exec(devicePath)?.[1]) ?? null;
}

/** Resolves after the time, or at once when the signal comes. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = (): void => {
    clearTimeout(timer);
    resolve();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}

interface Source {
  name: string;
  longestPauseMs?: number;
  /** In a second; one that says more is ended, and started again later. */
  mostLines?: number;
  program: string;
  argv: string[];
  /** The line that says that it listens now. */
  isReady: (line: string) => boolean;
  /** Not for those that listen when `start` resolves: whoever waits for that reads everything after it. */
  onReady: () => void;
  onLine: (line: string) => void;
}

/** A program that says a line whenever something may have changed; of a plugin `name` is the id. */
export interface WatchedSource extends Pick<Source, 'name' | 'program' | 'argv'> {
  /** It is started once this path is there. */
  needs: string;
  of: 'storage' | 'vm' | 'network';
}

export interface LiveEvents {
  /** At any time; `start` does not wait for it. @returns ends it */
  watch(source: WatchedSource): () => void;
  /** Resolves when the sources listen, or after three seconds without those that do not. */
  start(): Promise<void>;
  /** Resolves when their programs have ended. */
  stop(): Promise<void>;
}

export function createEvents(options: {
  commands: Pick<Commands, 'follow'>;
  bus: Bus;
  log: Logger;
}): LiveEvents {
  const { commands, bus, log } = options;
  const ending = new AbortController();
  let begun = false;
  let started = false;
  let running: Promise<void>[] = [];

  // Changes of one turn of the event loop travel together: a storm of events is one "look again".
  const names = new Set<string>();
  let everything = false;
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    const event: Events['block-devices.changed'] = { names: everything ? [] : [...names] };
    names.clear();
    everything = false;
    if (!ending.signal.aborted) bus.emit('block-devices.changed', event);
  };
  const changed = (name: string | null): void => {
    if (name === null) everything = true;
    else names.add(name);
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };

  const sources: Source[] = [
    {
      name: 'block-devices',
      program: PROGRAMS.udevadm,
      argv: ['monitor', '--kernel', '--udev', '--subsystem-match=block'],
      isReady: (line) => line.startsWith('KERNEL - '),
      // What happened before it listened is not known: everything is looked at again.
      onReady: () => changed(null),
      onLine: (line) => {
        const name = driveOfEvent(line);
        if (name) changed(name);
      },
    },
    {
      name: 'mount-table',
      program: PROGRAMS.perl,
      argv: ['-e', MOUNT_WATCH],
      isReady: (line) => line === 'ready',
      onReady: () => bus.emit('mounts.changed', {}),
      onLine: (line) => {
        if (line === 'changed') bus.emit('mounts.changed', {});
      },
    },
  ];

  const watched = new Map<WatchedSource, AbortController>();
  /** Its program, until it is not wanted any more or all of them end. */
  function beginWatched(source: WatchedSource): void {
    const own = watched.get(source);
    if (own) running.push(followWatched(source, AbortSignal.any([ending.signal, own.signal])));
  }

  /** Its lines of one moment are one change; it may have nothing to say for days, so nobody waits for its first word. */
  async function followWatched(
    { name, program, argv, needs, of }: WatchedSource,
    signal: AbortSignal,
  ): Promise<void> {
    let soon: NodeJS.Timeout | undefined;
    const onLine = (said?: string): void => {
      // A machine's change is told at once: who reads them does so once, however many lines come meanwhile.
      if (of === 'vm')
        return bus.emit('machines.changed', { plugin: name, ...(said === undefined ? {} : { said }) });
      soon ??= setTimeout(() => {
        soon = undefined;
        if (of === 'network') bus.emit('links.changed', {});
        else bus.emit('storage.changed', { plugin: name });
      }, GATHER_MS);
    };
    while (!existsSync(needs)) {
      await pause(NEEDS_MS, signal);
      if (signal.aborted) return;
    }
    await follow(
      {
        ...{ name, program, argv, longestPauseMs: LONGEST_WATCH_PAUSE_MS, mostLines: MOST_LINES },
        ...{ isReady: () => true, onReady: () => onLine(), onLine },
      },
      () => undefined,
      signal,
    );
    clearTimeout(soon);
  }

  async function follow(source: Source, onFirst: () => void, signal = ending.signal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const began = performance.now();
      const reason = await once(source, onFirst, signal);
      if (signal.aborted) return;
      bus.emit('source.changed', { name: source.name, ok: false, reason });
      log.warn({ source: source.name, reason }, 'a source of live change ended; it is started again');
      onFirst();
      pauseMs = performance.now() - began > STEADY_MS ? FIRST_PAUSE_MS : pauseMs;
      await pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, source.longestPauseMs ?? LONGEST_PAUSE_MS);
    }
  }

  /** @returns why it ended */
  async function once(source: Source, onFirst: () => void, signal: AbortSignal): Promise<string> {
    let ready = false;
    const flooded = new AbortController();
    let [second, lines] = [0, 0];
    const onLine = (line: string): void => {
      if (flooded.signal.aborted) return;
      if (source.mostLines !== undefined) {
        const now = Math.floor(performance.now() / 1_000);
        [second, lines] = now === second ? [second, lines + 1] : [now, 1];
        if (lines > source.mostLines) return flooded.abort();
      }
      if (ready) return source.onLine(line);
      if (!source.isReady(line)) return;
      ready = true;
      bus.emit('source.changed', { name: source.name, ok: true, reason: null });
      if (started) source.onReady();
      onFirst();
    };
    try {
      const until = AbortSignal.any([signal, flooded.signal]);
      const exitCode = await commands.follow(source.program, source.argv, onLine, until);
      if (flooded.signal.aborted)
        return `${source.program} said more than ${source.mostLines ?? 0} lines in a second`;
      return `${source.program} ended with ${exitCode === null ? 'a signal' : `exit code ${exitCode}`}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  return {
    watch(source) {
      watched.set(source, new AbortController());
      if (begun) beginWatched(source);
      return () => {
        watched.get(source)?.abort();
        watched.delete(source);
      };
    },
    async start() {
      begun = true;
      for (const source of watched.keys()) beginWatched(source);
      const ready = sources.map((source) => {
        const first = Promise.withResolvers<void>();
        running.push(follow(source, first.resolve));
        return first.promise;
      });
      const waited = new AbortController();
      await Promise.race([Promise.all(ready), pause(READY_TIMEOUT_MS, waited.signal)]);
      waited.abort();
      started = true;
    },
    async stop() {
      ending.abort();
      await Promise.all(running);
      running = [];
    },
  };
}
