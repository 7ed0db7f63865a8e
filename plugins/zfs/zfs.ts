/** Calls of zpool(8), zfs(8) and zdb(8): typed call in, argv out. Pure. */
import type { Argument, ExecAction } from '../../src/lib/plugin-api/plan';
import type { VdevGroup } from './layout';

export const ZPOOL = '/usr/sbin/zpool';
export const ZFS = '/usr/sbin/zfs';
export const ZDB = '/usr/sbin/zdb';
export const UDEVADM = '/usr/bin/udevadm';

/** A pool whose drives have gone may never answer, and one whose drives spin up answers after some seconds. */
export const READ = { timeoutMs: 15_000 };
const LONG_MS = 10 * 60_000;
/** Where every partition with a GUID of its own has a link; paths in here are the same on every machine. */
export const PARTITIONS = '/dev/disk/by-partuuid';

const exec = (program: string, argv: Argument[], more: Partial<ExecAction> = {}): ExecAction => ({
  do: 'exec',
  program,
  argv,
  timeoutMs: LONG_MS,
  ...more,
});

const pairs = (flag: string, values: Record<string, string>): string[] =>
  Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);

export interface CreateRequest {
  name: string;
  groups: VdevGroup[];
  pool: Record<string, string>;
  root: Record<string, string>;
}
const words = ({ keywords, paths }: VdevGroup): string[] => [...keywords, ...paths];

/** `-f`: drives of unequal size are fine, and what was on them has been looked at and erased before. */
export const createPool = ({ name, groups, pool, root }: CreateRequest): ExecAction =>
  exec(ZPOOL, [
    ...['create', '-f', ...pairs('-o', pool), ...pairs('-O', root), '--', name],
    ...groups.flatMap(words),
  ]);

/** Never with `-f`: a pool that another machine may be using is not taken. */
export const importPool = (pool: string): ExecAction =>
  exec(ZPOOL, ['import', '-N', '-o', 'cachefile=none', '-d', PARTITIONS, '--', pool]);

/** Nothing is written to its drives, and no log of intents is replayed (zpool-import(8), zpoolprops(7)). */
export const importReadOnly = (pool: string): ExecAction =>
  exec(ZPOOL, [
    'import',
    '-N',
    ...['-o', 'readonly=on', '-o', 'cachefile=none', '-d', PARTITIONS, '--', pool],
  ]);

export const destroyPool = (name: string, okExitCodes = [0]): ExecAction =>
  exec(ZPOOL, ['destroy', '--', name], { okExitCodes });
export const exportPool = (name: string): ExecAction => exec(ZPOOL, ['export', '--', name]);
export const setPoolProperty = (name: string, property: string, value: string): ExecAction =>
  exec(ZPOOL, ['set', `${property}=${value}`, name]);

export const addVdevs = (name: string, groups: VdevGroup[]): ExecAction =>
  exec(ZPOOL, ['add', '-f', '--', name, ...groups.flatMap(words)]);
export const attachDrive = (name: string, beside: string, path: string): ExecAction =>
  exec(ZPOOL, ['attach', '-f', '--', name, beside, path]);
export const replaceDrive = (name: string, old: string, fresh: string): ExecAction =>
  exec(ZPOOL, ['replace', '-f', '--', name, old, fresh]);
export const detachDrive = (name: string, path: string): ExecAction =>
  exec(ZPOOL, ['detach', '--', name, path]);
export const removeVdev = (name: string, path: string): ExecAction =>
  exec(ZPOOL, ['remove', '--', name, path]);
export const onlineDrive = (name: string, path: string): ExecAction =>
  exec(ZPOOL, ['online', '--', name, path]);
/** @param path one device; all of them unless told */
export const clearErrors = (name: string, ...path: string[]): ExecAction =>
  exec(ZPOOL, ['clear', '--', name, ...path], { timeoutMs: 60_000 });

export const startScrub = (name: string): ExecAction => exec(ZPOOL, ['scrub', '--', name]);
export const stopScrub = (name: string): ExecAction => exec(ZPOOL, ['scrub', '-s', '--', name]);

/** Waits until udev has made a link, or has nothing to do any more. */
export const waitForLink = (path: string): ExecAction =>
  exec(UDEVADM, ['settle', '--timeout=60', `--exit-if-exists=${path}`], { okExitCodes: [0, 1] });

/** All four labels, those at the end too; 1 and 255 say that there was none. */
export const clearLabels = (at: Argument): ExecAction =>
  exec(ZPOOL, ['labelclear', '-f', '--', at], { okExitCodes: [0, 1, 255] });

export const createDataset = (dataset: string, properties: Record<string, string>): ExecAction =>
  exec(ZFS, ['create', ...pairs('-o', properties), '--', dataset]);
export const destroyDataset = (dataset: string): ExecAction => exec(ZFS, ['destroy', '--', dataset]);
export const takeSnapshot = (snapshot: string): ExecAction => exec(ZFS, ['snapshot', '--', snapshot]);
export const cloneSnapshot = (
  snapshot: string,
  dataset: string,
  properties: Record<string, string>,
): ExecAction => exec(ZFS, ['clone', ...pairs('-o', properties), '--', snapshot, dataset]);
export const renameDataset = (from: string, to: string): ExecAction => exec(ZFS, ['rename', '--', from, to]);

/** A promoted clone takes over the origin of what it was cloned from: done until there is none. */
const PROMOTE = `local dataset = ...
dataset = dataset["argv"][1]
while true do
  local origin = zfs.get_prop(dataset, "origin")
  if origin == nil or origin == "" then return end
  assert(zfs.sync.promote(dataset) == 0)
end
`;
/** Source: zfs-program(8). The program is read from standard input. */
export const promoteFully = (pool: string, dataset: string): ExecAction =>
  exec(ZFS, ['program', '--', pool, '-', dataset], { stdin: PROMOTE });
