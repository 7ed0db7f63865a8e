/** What a machine is made of: its disks. */
import { vmDiskAddRequest, vmDiskGrowRequest } from '$lib/shared/wire/vms';
import { ADD_DISK, GROW_DISK, REMOVE_DISK } from '../vms/kinds';
import { answer, json } from './answer';
import { readJson } from './body';
import { verb } from './vms';

export const listVmDisks = answer('viewer', async ({ services, param }) =>
  json({ disks: await services.vms.disks(param('id')) }),
);
const diskBody = vmDiskAddRequest.omit({ vmId: true });
export const addVmDisk = answer('operator', async (request) =>
  verb(request, ADD_DISK, diskBody.parse(await readJson(request.event.request))),
);
export const removeVmDisk = answer('operator', (request) =>
  verb(request, REMOVE_DISK, { slot: Number(request.param('slot')) }),
);
const diskSizeBody = vmDiskGrowRequest.pick({ sizeBytes: true });
export const growVmDisk = answer('operator', async (request) =>
  verb(request, GROW_DISK, {
    slot: Number(request.param('slot')),
    ...diskSizeBody.parse(await readJson(request.event.request)),
  }),
);
