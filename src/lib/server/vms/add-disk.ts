/** A machine gets one more disk, empty, in its own folder; at once when it is on. */
import { posix } from 'node:path';
import { disksOf, type VmDisk } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { vmDiskAddRequest } from '$lib/shared/wire/vms';
import { AppError, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { diskIssues } from './check-request';
import type { VmDeps } from './deps';
import { disksFor, fileOf, type DiskPromise } from './disks';
import { refuseAdopted, refuseBetween, refuseOn, refuseUnknown } from './hardware-rules';
import { namesIn, roomOn } from './place';
import { poolOf } from './prepare-create';
import type { VmRecord } from './store';
import { refuseTemplate } from './template';
import { isOff, parse, prepared, recordOf, statusNow } from './verb';

/** The first slot that is free, and whose file somebody else has not put there: what is there is never taken or written over. */
async function freeSlot({ spec, name }: VmRecord, most: number): Promise<number> {
  const taken = new Set(disksOf(spec).map(({ slot }) => slot));
  const files = new Set(await namesIn(spec.folder));
  for (let slot = 2; slot <= most; slot += 1) if (!taken.has(slot) && !files.has(fileOf(slot))) return slot;
  throw new AppError('disks_too_many', `"${name}" has ${taken.size} disks, and can have no more.`);
}

export async function prepareAddDisk(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, sizeBytes } = parse(vmDiskAddRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  refuseAdopted(record);
  refuseTemplate(record);
  const issues = diskIssues(sizeBytes, 'sizeBytes');
  if (issues.length > 0) throw issuesError(issues);
  const plugin = deps.plugins.vm(record.plugin);
  const disks = disksFor(plugin);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  refuseUnknown(record, plugin, status);
  refuseOn(name, !isOff(status), disks.whyOff?.(spec) ?? null);
  const pool = poolOf(deps, record);
  const slot = await freeSlot(record, disks.most(spec));
  const disk: VmDisk = { slot, path: posix.join(spec.folder, fileOf(slot)), sizeBytes };
  const more: DiskPromise = { disk, roomBytes: await roomOn(deps, pool) };
  return prepared(plugin, record, {
    title: `Give ${name} a disk of ${formatBytes(sizeBytes)}`,
    steps: disks.add(spec, disk, !isOff(status)),
    locks: [usesLock(`pool:${pool.guid}`)],
    notes: [`Its file is ${disk.path}.`],
    more,
  });
}
