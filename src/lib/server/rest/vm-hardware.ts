/** What a machine is made of: its disks, its network cards, and what is in its drive. */
import { z } from 'zod';
import {
  vmBootRequest,
  vmCardMoveRequest,
  vmCardWish,
  vmCdRequest,
  vmDiskAddRequest,
  vmDiskGrowRequest,
} from '$lib/shared/wire/vms';
import {
  ADD_CARD,
  ADD_DISK,
  CHANGE_CD,
  GROW_DISK,
  MOVE_CARD,
  REMOVE_CARD,
  REMOVE_DISK,
  SET_BOOT_ORDER,
} from '../vms/kinds';
import { answer, json } from './answer';
import { readJson } from './body';
import { codeOf, confirmBody, verb } from './vms';

export const listVmDisks = answer('viewer', async ({ services, param }) =>
  json({ disks: await services.vms.disks(param('id')) }),
);
const diskBody = vmDiskAddRequest.omit({ vmId: true });
export const addVmDisk = answer(
  'operator',
  async (request) => verb(request, ADD_DISK, diskBody.parse(await readJson(request.event.request))),
  { body: diskBody },
);
/** Without a confirm code the refusal names it, with what is lost. */
export const removeVmDisk = answer(
  'operator',
  async (request) =>
    verb(request, REMOVE_DISK, { slot: Number(request.param('slot')) }, await codeOf(request)),
  { body: confirmBody },
);
const diskSizeBody = vmDiskGrowRequest.pick({ sizeBytes: true });
export const growVmDisk = answer(
  'operator',
  async (request) =>
    verb(request, GROW_DISK, {
      slot: Number(request.param('slot')),
      ...diskSizeBody.parse(await readJson(request.event.request)),
    }),
  { body: diskSizeBody },
);
/** `{"bridge", "mac"}`, both of which may be left out. */
export const addVmCard = answer(
  'operator',
  async (request) => verb(request, ADD_CARD, vmCardWish.parse((await readJson(request.event.request)) ?? {})),
  { body: vmCardWish },
);
const moveBody = vmCardMoveRequest.pick({ bridge: true });
export const moveVmCard = answer(
  'operator',
  async (request) =>
    verb(request, MOVE_CARD, {
      slot: Number(request.param('slot')),
      ...moveBody.parse(await readJson(request.event.request)),
    }),
  { body: moveBody },
);
export const removeVmCard = answer('operator', (request) =>
  verb(request, REMOVE_CARD, { slot: Number(request.param('slot')) }),
);
const cdBody = z.strictObject({ imageId: vmCdRequest.shape.imageId.unwrap() });
export const putVmCd = answer(
  'operator',
  async (request) => verb(request, CHANGE_CD, cdBody.parse(await readJson(request.event.request))),
  { body: cdBody },
);
export const deleteVmCd = answer('operator', (request) => verb(request, CHANGE_CD, { imageId: null }));
const bootBody = vmBootRequest.omit({ vmId: true });
export const putVmBootOrder = answer(
  'operator',
  async (request) => verb(request, SET_BOOT_ORDER, bootBody.parse(await readJson(request.event.request))),
  { body: bootBody },
);
