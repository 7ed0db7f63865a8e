/**
 * The snapshots of machines, read from their engines as long as somebody looks: when the engine or an operation has changed
 * something, and when something changes where the engine notes them, since it says nothing of a machine that is off.
 */
import type { VmSnapshots } from '$lib/shared/wire/vm-snapshots';
import { createFolderWatches } from '../host/folder-watches';
import { toAppError } from '../errors';
import type { VmDeps } from './deps';
import { findVm, NO_POOL, type VmRecord } from './store';
import { recordOf } from './verb';

export interface VmSnapshotReadings {
  /** Read now. @throws AppError vm_not_found */
  read(vmId: string): Promise<VmSnapshots>;
  /** Read now, if somebody looks. */
  refresh(vmId: string): Promise<void>;
  /** As they are, and again after each change, until the signal aborts. */
  follow(vmId: string, signal: AbortSignal | undefined): AsyncGenerator<VmSnapshots, void>;
  start(): void;
  stop(): void;
}

type Deps = Pick<VmDeps, 'db' | 'bus' | 'clock' | 'log' | 'plugins' | 'readings'>;
type Found = Pick<VmSnapshots, 'snapshots' | 'takeWhy' | 'strays'>;
const NOTHING: Found = { snapshots: [], takeWhy: null, strays: [] };

const sameBut = ({ readAt: _, ...rest }: VmSnapshots): string => JSON.stringify(rest);

export function createVmSnapshots({ db, bus, clock, log, plugins, readings }: Deps): VmSnapshotReadings {
  const watchers = new Map<string, Set<(now: VmSnapshots) => void>>();
  const last = new Map<string, VmSnapshots>();
  const asking = new Map<string, { now: Promise<VmSnapshots>; next: Promise<VmSnapshots> | null }>();
  const unsubscribe: (() => void)[] = [];

  async function find({ plugin, poolGuid, state, spec }: VmRecord): Promise<Found> {
    if (state !== 'ready') return { ...NOTHING, takeWhy: 'It is not at rest.' };
    if (poolGuid === NO_POOL) return { ...NOTHING, takeWhy: 'No disk of it lies on a pool.' };
    if (spec.isTemplate) return { ...NOTHING, takeWhy: 'It is a template, and its disk does not change.' };
    const status = readings.of(plugin, spec.id);
    if (status === 'missing')
      return { ...NOTHING, takeWhy: 'Its engine does not know it any more. Start it once first.' };
    const { facts: _, snapshots, ...found } = await plugins.vmSnapshots(plugin, spec);
    // Two of the same second: what was made upon the other is later.
    return { ...found, snapshots: snapshots.toSorted((a, b) => a.createdAt - b.createdAt) };
  }
  async function ask(record: VmRecord): Promise<VmSnapshots> {
    const { id } = record;
    const base = { id, readAt: clock.now() };
    let now: VmSnapshots;
    try {
      now = { ...base, ...(await find(record)), error: null };
    } catch (thrown) {
      const { message, remedy } = toAppError(thrown);
      const error = remedy ? `${message} ${remedy}` : message;
      now = { ...NOTHING, ...last.get(id), ...base, takeWhy: 'They could not be read.', error };
    }
    last.set(id, now);
    for (const tell of watchers.get(id) ?? []) tell(now);
    return now;
  }
  /** An answer that was under way when something changed may be older than the change: one more follows it. */
  function read(id: string): Promise<VmSnapshots> {
    const record = recordOf(db, id);
    const current = asking.get(id);
    if (current) return (current.next ??= current.now.then(() => read(id)));
    const now = ask(record).finally(() => asking.delete(id));
    asking.set(id, { now, next: null });
    return now;
  }
  const readWatched = (needs: (record: VmRecord) => boolean): void => {
    for (const id of watchers.keys()) {
      const record = findVm(db, id);
      if (record && needs(record)) void read(id);
    }
  };
  function foldersOf({ plugin, spec }: VmRecord): string[] {
    return plugins.knownVm(plugin).snapshots?.folders(spec) ?? [];
  }
  const folderWatches = createFolderWatches(log, (folder) => {
    // The folder of the machine itself may just have been made.
    watchFolders();
    readWatched((record) => foldersOf(record).includes(folder));
  });
  function watchFolders(): void {
    const records = [...watchers.keys()].flatMap((id) => findVm(db, id) ?? []);
    folderWatches.follow(records.flatMap(foldersOf));
  }
  function watch(id: string, tell: (now: VmSnapshots) => void): () => void {
    const mine = watchers.get(id) ?? new Set();
    watchers.set(id, mine.add(tell));
    watchFolders();
    return () => {
      mine.delete(tell);
      if (mine.size > 0) return;
      watchers.delete(id);
      last.delete(id);
      watchFolders();
    };
  }

  return {
    read,
    async refresh(vmId) {
      if (watchers.has(vmId) && findVm(db, vmId)) await read(vmId);
    },
    async *follow(vmId, signal) {
      let newest: VmSnapshots | null = null;
      let told = '';
      let wake: (() => void) | null = null;
      const rouse = (): void => wake?.();
      const end = watch(vmId, (now) => {
        newest = now;
        rouse();
      });
      signal?.addEventListener('abort', rouse);
      try {
        newest = await read(vmId);
        while (!signal?.aborted) {
          const text = sameBut(newest);
          if (text !== told) {
            told = text;
            yield newest;
          } else {
            await new Promise<void>((resolve) => (wake = resolve));
            wake = null;
          }
        }
      } finally {
        signal?.removeEventListener('abort', rouse);
        end();
      }
    },
    start() {
      unsubscribe.push(
        bus.on('machines.changed', ({ plugin }) => readWatched((record) => record.plugin === plugin)),
        bus.on('vm.changed', ({ id }) => readWatched((record) => record.id === id)),
      );
    },
    stop() {
      folderWatches.stop();
      for (const off of unsubscribe) off();
    },
  };
}
