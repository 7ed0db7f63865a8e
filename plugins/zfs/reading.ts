/** Reading of pools and labels, each with a short time limit. Changes nothing. */
import type { Parser } from '../../src/lib/plugin-api/parse';
import type { DriveRef } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import { parseImportable, type ImportablePool } from './parse-import';
import {
  LIST_POOLS,
  parseDatasets,
  parseLabel,
  parseNames,
  parsePools,
  parseSnapshots,
  parseSpace,
  type ListedPool,
  type ListedSnapshot,
  type VdevLabel,
} from './parse-list';
import { parseStatus, type ShownPool } from './parse-status';
import { READ, ZDB, ZFS, ZPOOL } from './zfs';

export interface Parsers {
  pools: Parser<ListedPool[]>;
  status: Parser<ShownPool>;
  importable: Parser<ImportablePool[]>;
  label: Parser<VdevLabel>;
  space: Parser<{ usedBytes: number; availableBytes: number }>;
  snapshots: Parser<ListedSnapshot[]>;
  names: Parser<string[]>;
  datasets: Parser<string[]>;
}
type Define = <T>(tool: string, parse: (text: string) => T) => Parser<T>;
export const parsersOf = (define: Define): Parsers => ({
  pools: define('zpool list', parsePools),
  status: define('zpool status', parseStatus),
  importable: define('zpool import', parseImportable),
  label: define('zdb -l', parseLabel),
  space: define('zfs list', parseSpace),
  snapshots: define('zfs list -t snapshot', parseSnapshots),
  names: define('zfs list -o name', parseNames),
  datasets: define('zdb -d', parseDatasets),
});

export async function listPools(context: PluginContext, parsers: Parsers): Promise<ListedPool[]> {
  return parsers.pools((await context.read(ZPOOL, LIST_POOLS, READ)).stdout);
}

/** null: not imported. */
export async function readPool(
  context: PluginContext,
  parsers: Parsers,
  name: string,
): Promise<(ShownPool & { suspended: boolean }) | null> {
  const listed = (await listPools(context, parsers)).find((pool) => pool.name === name);
  if (!listed) return null;
  const { stdout } = await context.read(ZPOOL, ['status', '-P', '-p', '--', name], READ);
  const shown = parsers.status(stdout);
  return { ...shown, suspended: listed.health === 'SUSPENDED' || shown.state === 'SUSPENDED' };
}

const NO_LABEL = 2;
/** null: the partition is not there, or no label of ZFS is on it. */
export async function readLabel(
  context: PluginContext,
  parsers: Parsers,
  at: DriveRef,
): Promise<VdevLabel | null> {
  const path = context.path(at);
  if (path === null) return null;
  const { stdout, exitCode } = await context.read(ZDB, ['-l', path], {
    timeoutMs: 20_000,
    okExitCodes: [0, 1, NO_LABEL],
  });
  // zdb says for each of the four places that it found none there.
  if (exitCode !== 0 && /failed to unpack label 0/.test(stdout) && !stdout.includes('LABEL')) return null;
  return parsers.label(stdout);
}

/** Snapshots of the pool's datasets; a pool that is suspended cannot be asked. */
export async function readSnapshots(
  context: PluginContext,
  parsers: Parsers,
  columns: string,
  pool: string,
): Promise<ListedSnapshot[]> {
  const argv = ['list', '-Hp', '-t', 'snapshot', '-r', '-o', columns, '--', pool];
  return parsers.snapshots((await context.read(ZFS, argv, READ)).stdout);
}

export async function readDatasets(
  context: PluginContext,
  parsers: Parsers,
  pool: string,
): Promise<string[]> {
  const argv = ['list', '-Hp', '-t', 'filesystem', '-r', '-o', 'name', '--', pool];
  return parsers.names((await context.read(ZFS, argv, READ)).stdout);
}

export async function readSpace(
  context: PluginContext,
  parsers: Parsers,
  pool: string,
): Promise<{ usedBytes: number; availableBytes: number }> {
  const argv = ['list', '-Hp', '-o', 'used,available', '--', pool];
  return parsers.space((await context.read(ZFS, argv, READ)).stdout);
}
