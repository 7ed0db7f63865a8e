/** A disk that was added goes, and what is on it with it. */
import { posix } from 'node:path';
import { z } from 'zod';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { vmDiskRequest } from '$lib/shared/wire/vms';
import { AppError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared, RecordOwner } from '../operations/types';
import { promisedDiskBytes } from './accounts';
import type { VmDeps } from './deps';
import { diskOf, disksFor, withoutDisk } from './disks';
import {
  GRACE_MS,
  refuseAdopted,
  refuseBetween,
  refuseOn,
  refusePaused,
  refuseUnknown,
} from './hardware-rules';
import { takenBytes } from './place';
import { poolOf } from './prepare-create';
import { diskRemovalNotes } from './prepare-snapshots';
import { tell, verbRecord } from './records';
import { refuseProtected } from './settings';
import { changeVm, findVm } from './store';
import { refuseTemplate } from './template';
import { isOff, parse, prepared, recordOf, statusNow } from './verb';

export async function prepareRemoveDisk(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, slot } = parse(vmDiskRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  refuseAdopted(record);
  refuseTemplate(record);
  const disk = diskOf(record, slot);
  if (slot === 1) throw new AppError('disk_needed', `"${name}" was made with disk 1.`);
  refuseProtected(deps.db, record);
  const plugin = deps.plugins.vm(record.plugin);
  const disks = disksFor(plugin);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  refuseUnknown(record, plugin, status);
  refusePaused(name, status);
  refuseOn(name, !isOff(status), disks.whyOff?.(spec) ?? null);
  const pool = poolOf(deps, record);
  const taken = await takenBytes(disk);
  const untilMs = isOff(status) ? null : deps.clock.now() + GRACE_MS;
  return prepared(plugin, record, {
    title: `Remove disk ${slot} of ${name}`,
    steps: disks.remove(spec, disk, untilMs),
    locks: [usesLock(`pool:${pool.guid}`)],
    loses: [`${disk.path}, with everything that is on it.`],
    confirmText: posix.basename(disk.path),
    // Asked for again with the code, its guest has its time from then on.
    confirmSteps: disks.remove(spec, disk, untilMs === null ? null : 0),
    notes: [
      `The disk has ${formatBytes(disk.sizeBytes)}, of which ${formatBytes(taken ?? 0)} are used.`,
      ...(untilMs === null
        ? []
        : [
            `Its guest is asked to let go of it, and has ${GRACE_MS / 1_000} s for that. If it does not, nothing is deleted. Unmount what is on it first.`,
          ]),
      ...(await diskRemovalNotes(deps, record)),
    ],
    more: { slot },
  });
}

const removeDiskInput = z.object({ slot: z.number() });

/** It is the machine's until its file is gone. */
export const removeDiskRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps, refuseProtected),
  succeed(tx, _operationId, { input, subject: { id } }) {
    const { slot } = removeDiskInput.parse(input);
    const record = findVm(tx, id);
    if (record) {
      const spec = withoutDisk(record.spec, slot);
      changeVm(tx, id, { spec, diskBytes: promisedDiskBytes(spec) });
    }
    tell(deps, id);
  },
});
