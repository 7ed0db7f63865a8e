/** A disk of a machine gets larger, whether it is on or off. It never gets smaller: what is at its end would be cut off. */
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { vmDiskGrowRequest } from '$lib/shared/wire/vms';
import { issue, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { diskIssues } from './check-request';
import type { VmDeps } from './deps';
import { diskOf, disksFor, type DiskPromise } from './disks';
import { refuseAdopted, refuseBetween } from './hardware-rules';
import { roomOn } from './place';
import { poolOf } from './prepare-create';
import { refuseTemplate } from './template';
import { isOff, parse, prepared, recordOf, statusNow, wrongState } from './verb';

export async function prepareGrowDisk(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, slot, sizeBytes } = parse(vmDiskGrowRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  refuseAdopted(record);
  refuseTemplate(record);
  const disk = diskOf(record, slot);
  const issues = diskIssues(sizeBytes, 'sizeBytes');
  if (issues.length > 0) throw issuesError(issues);
  const plugin = deps.plugins.vm(record.plugin);
  const disks = disksFor(plugin);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  const pool = poolOf(deps, record);
  const has = await deps.plugins.vmDiskSize(plugin.id, disk);
  const text = `Disk ${slot} of "${name}" has ${formatBytes(has)}`;
  if (sizeBytes < has)
    throw issuesError([
      issue('disk_shrink', `${text}; ${formatBytes(sizeBytes)} are asked for.`, 'sizeBytes'),
    ]);
  if (sizeBytes === has && sizeBytes === disk.sizeBytes) throw wrongState(`${text} already.`);
  const more: DiskPromise = { disk: { ...disk, sizeBytes }, roomBytes: await roomOn(deps, pool) };
  return prepared(plugin, record, {
    title: `Give disk ${slot} of ${name} ${formatBytes(sizeBytes)}`,
    steps: disks.grow(spec, disk, sizeBytes, !isOff(status)),
    locks: [usesLock(`pool:${pool.guid}`)],
    notes: [
      `It has ${formatBytes(has)} now, and can never be made smaller again.`,
      'Its partitions and filesystems stay as they are: they are grown from inside.',
    ],
    more,
  });
}
