/**
 * Machines that an engine knows and the records do not: made in a shell, by another tool, or by a Cairn whose records are lost. They
 * are read, as long as somebody looks, and never touched.
 */
import { naturally } from '$lib/shared/natural-order';
import { lstat, realpath } from 'node:fs/promises';
import { posix } from 'node:path';
import type { VmFound } from '$lib/plugin-api/vm-found';
import type { Issue } from '$lib/shared/error-codes';
import { vmNameIssues } from '$lib/shared/vm-rules';
import type { Pool } from '$lib/shared/wire/pools';
import type { FoundVm, FoundVms } from '$lib/shared/wire/vm-found';
import { issue, toAppError } from '../errors';
import { isReady } from '../pools/when-ready';
import { countedDisks } from './accounts';
import type { VmDeps } from './deps';
import { folderOf } from './place';
import { nvramPathIn } from './firmware';
import { findVmByName, listVms } from './store';

type Deps = Pick<VmDeps, 'db' | 'bus' | 'plugins' | 'pools' | 'readings'>;

/** With what the host knows of its disks. */
export interface FoundMachine {
  found: VmFound;
  plugin: string;
  /** By path of a disk: the pool that it lies on; undefined: none. */
  pools: Map<string, Pool | undefined>;
  /** Paths of disks that are not there. */
  gone: string[];
}

/** Where a Cairn would have put it, with every part as it makes it: all of it may be kept as if it had been made here. */
export function homeOf({ found, pools }: FoundMachine): { folder: string; pool: Pool } | null {
  const first = found.disks.find(({ slot }) => slot === 1);
  const pool = first?.path ? pools.get(first.path) : undefined;
  if (!pool) return null;
  const folder = folderOf(pool.mountPath, found.name);
  const file = (slot: number | null): string =>
    posix.join(folder, slot === 1 ? 'disk.qcow2' : `disk-${slot}.qcow2`);
  const asMade =
    found.disks.every(({ slot, path }) => slot !== null && path === file(slot)) &&
    (found.firmware === null || found.firmware.nvramPath === nvramPathIn(folder)) &&
    found.cards.every(({ isOurs, bridge }) => isOurs || bridge !== null) &&
    found.media.every(
      ({ target, path }) => target === 'sda' || (target === 'sdb' && path === posix.join(folder, 'seed.iso')),
    );
  return asMade ? { folder, pool } : null;
}

const RENAME = 'Rename it while it is off: virsh domrename OLD NEW.';

/** Why it cannot be adopted, all at once. */
export function adoptIssues({ db }: Pick<Deps, 'db'>, { found, gone }: FoundMachine): Issue[] {
  const { id, name, isTransient, disks } = found;
  const other = findVmByName(db, name);
  const names =
    other && other.id !== id
      ? [issue('vm_name_taken', `There is a machine called "${name}" already.`, 'name')]
      : [];
  const taken = listVms(db)
    .filter((record) => record.id !== id && record.state !== 'failed')
    .flatMap(({ name: by, spec }) => countedDisks(spec).map(({ path }) => ({ by, path })));
  return [
    ...[...vmNameIssues(name), ...names].map((one) => ({ ...one, remedy: RENAME })),
    ...(isTransient ? [issue('vm_transient', `Its engine forgets "${name}" when it goes off.`)] : []),
    ...gone.map((path) => issue('vm_disk_gone', `There is no ${path}.`)),
    ...taken
      .filter(({ path }) => disks.some((disk) => disk.path === path))
      .map(({ by, path }) => issue('vm_disk_taken', `${path} is a disk of "${by}".`)),
  ];
}

/** Of one that is not there, or on no pool: undefined. */
async function poolOfPath(pools: Pool[], path: string): Promise<Pool | undefined> {
  const real = await realpath(path).catch(() => path);
  return pools.find(({ mountPath }) => real.startsWith(`${mountPath}/`));
}

async function lookAt(deps: Deps, plugin: string, found: VmFound): Promise<FoundMachine> {
  const mounted = deps.pools.list().filter(isReady);
  const paths = found.disks.flatMap(({ path }) => (path === null ? [] : [path]));
  const pools = await Promise.all(
    paths.map(async (path) => [path, await poolOfPath(mounted, path)] as const),
  );
  const there = await Promise.all(paths.map((path) => lstat(path).then(Boolean, () => false)));
  return { found, plugin, pools: new Map(pools), gone: paths.filter((_, index) => !there[index]) };
}

/** All that its engine knows and no record has, or those of them with these ids. */
export async function findMachines(deps: Deps, plugin: string, only?: string[]): Promise<FoundMachine[]> {
  const ours = new Set(listVms(deps.db).map(({ id }) => id));
  const ids = (deps.readings.all(plugin) ?? [])
    .map(({ id }) => id)
    .filter((id) => !ours.has(id) && (only?.includes(id) ?? true));
  if (ids.length === 0) return [];
  const found = (await deps.plugins.vmsFound(plugin, ids)) ?? [];
  return Promise.all(found.map((one) => lookAt(deps, plugin, one)));
}

function viewOf(deps: Deps, machine: FoundMachine): FoundVm[] {
  const { found, plugin, pools } = machine;
  const { id, name, cpus, memoryBytes } = found;
  const state = deps.readings.of(plugin, id);
  if (state === 'missing' || state === 'unknown') return [];
  return [
    {
      ...{ id, name, plugin, state, cpus, memoryBytes },
      disks: found.disks.map(({ target, source, path, sizeBytes }) => ({
        ...{ target, source, sizeBytes },
        pool: (path === null ? undefined : pools.get(path))?.label ?? null,
      })),
      media: found.media.flatMap(({ path }) => (path === null ? [] : [path])),
      cards: found.cards.map(({ mac, network }) => ({ mac, network })),
      byCairn: homeOf(machine) !== null,
      issues: adoptIssues(deps, machine),
    },
  ];
}

export interface FoundVmReadings {
  /** Read now. */
  read(): Promise<FoundVms>;
  /** As they are, and again after each change, until the signal aborts. */
  follow(signal: AbortSignal | undefined): AsyncGenerator<FoundVms, void>;
}

export function createFoundVms(deps: Deps): FoundVmReadings {
  const { bus, plugins } = deps;
  /** As the engines were read last. */
  async function list(): Promise<FoundVms> {
    try {
      const all = await Promise.all(plugins.vmPlugins().map((plugin) => findMachines(deps, plugin)));
      const machines = all.flat().flatMap((machine) => viewOf(deps, machine));
      return { machines: machines.toSorted((a, b) => naturally(a.name, b.name)), error: null };
    } catch (thrown) {
      return { machines: [], error: toAppError(thrown).message };
    }
  }
  return {
    async read() {
      await Promise.all(plugins.vmPlugins().map((plugin) => deps.readings.refresh(plugin)));
      return list();
    },
    async *follow(signal) {
      let isOld = true;
      let wake: (() => void) | null = null;
      const rouse = (): void => wake?.();
      // Every reading of the engines ends with it, and so does every change of a record or a pool.
      const end = bus.on('vms.changed', () => {
        isOld = true;
        rouse();
      });
      signal?.addEventListener('abort', rouse);
      let told = '';
      try {
        while (!signal?.aborted) {
          if (isOld) {
            isOld = false;
            const now = await list();
            const text = JSON.stringify(now);
            if (text !== told) yield now;
            told = text;
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
  };
}
