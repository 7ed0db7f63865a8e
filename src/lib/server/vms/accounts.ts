/**
 * What is promised to machines. Asked inside the transaction that makes the promise, so that of two machines that fit once
 * exactly one gets it. Processors are shared by those who wait; memory and disk are not.
 */
import { disksOf, type VmDisk, type VmSpec } from '$lib/plugin-api/vm';
import { formatBytes } from '$lib/shared/units';
import type { Transaction } from '../db/client';
import type { Db } from '../db/client';
import { AppError } from '../errors';
import type { VmDeps } from './deps';
import { SNAPSHOT, START, vmLock } from './kinds';
import { listVms, type VmRecord } from './store';

/** Guests' processors for each of the host's. */
const SHARE = 8;
/** Left to the host itself. */
export const HOST_MEMORY_BYTES = 512 * 1024 ** 2;

type AccountDeps = Pick<VmDeps, 'hostSize' | 'operations' | 'readings'>;

/** On, or about to be. */
function holdsPower({ operations, readings }: AccountDeps, { id, plugin, state }: VmRecord): boolean {
  if (state === 'creating') return true;
  const status = readings.of(plugin, id);
  if (status === 'running' || status === 'paused' || status === 'stopping') return true;
  const kind = operations.holder(vmLock(id))?.kind;
  return kind === START || kind === SNAPSHOT.restore;
}

export interface Promised {
  cpus: number;
  memoryBytes: number;
}
/** To all machines but one. */
export function promised(deps: AccountDeps, db: Db | Transaction, exceptId: string | null): Promised {
  const on = listVms(db).filter((record) => record.id !== exceptId && holdsPower(deps, record));
  return {
    cpus: on.reduce((sum, { cpus }) => sum + cpus, 0),
    memoryBytes: on.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}

/** @throws AppError cpus_taken | memory_taken */
export function refuseTooMuchPower(
  deps: AccountDeps,
  tx: Transaction,
  asked: Promised & { id: string },
): void {
  const host = deps.hostSize();
  const others = promised(deps, tx, asked.id);
  const cpus = host.cpus * SHARE;
  if (others.cpus + asked.cpus > cpus)
    throw new AppError(
      'cpus_taken',
      `The machines that are on have ${others.cpus} CPUs; with ${host.cpus} of its own the host can share out ${cpus}.`,
    );
  const memory = host.memoryBytes - HOST_MEMORY_BYTES;
  if (others.memoryBytes + asked.memoryBytes > memory)
    throw new AppError(
      'memory_taken',
      `The machines that are on have ${formatBytes(others.memoryBytes)} of ${formatBytes(memory)}; ${formatBytes(asked.memoryBytes)} more do not fit.`,
    );
}

/** The disks of a machine that are counted on the pool of its record: all that were made, and of adopted ones those that lie there. */
export const countedDisks = (spec: VmSpec): Pick<VmDisk, 'path' | 'sizeBytes'>[] => [
  ...disksOf(spec),
  ...(spec.adopted?.disks ?? []).flatMap(({ counted, path, sizeBytes }) =>
    counted && path !== null && sizeBytes !== null ? [{ path, sizeBytes }] : [],
  ),
];
export const promisedDiskBytes = (spec: VmSpec): number =>
  countedDisks(spec).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/**
 * @param asked `diskBytes`: of all its disks together
 * @param newBytes of the disk that it is about
 * @param roomBytes what the pool has free, and what its machines have written already
 * @throws AppError pool_full
 */
export function refuseTooLargeDisk(
  tx: Transaction,
  asked: { id: string; poolGuid: string; diskBytes: number },
  newBytes: number,
  roomBytes: number,
): void {
  const others = listVms(tx)
    .filter(({ id, poolGuid, state }) => id !== asked.id && poolGuid === asked.poolGuid && state !== 'failed')
    .reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  if (others + asked.diskBytes <= roomBytes) return;
  throw new AppError(
    'pool_full',
    `A disk of ${formatBytes(newBytes)} does not fit: the pool has room for one of ${formatBytes(Math.max(0, roomBytes - others - asked.diskBytes + newBytes))} at most.`,
  );
}
