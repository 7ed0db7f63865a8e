/** What a machine is made of, and how that is changed; part of the router of machines. */
import { z } from 'zod';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import {
  vmBootRequest,
  vmCardAddRequest,
  vmCardMoveRequest,
  vmCardRequest,
  vmCdRequest,
  vmDiskAddRequest,
  vmDiskGrowRequest,
  vmDiskRequest,
  type VmDiskUse,
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
} from '../../vms/kinds';
import { operatorProcedure, viewerProcedure } from '../init';
import { confirmCode } from '../preview';

const one = z.strictObject({ id: z.string().min(1).max(200) });

export const vmHardwareProcedures = {
  /** On the network of the host or on a bridge of it; of a machine that is on, at once. */
  addCard: operatorProcedure
    .input(vmCardAddRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: ADD_CARD, request: input, actor: ctx.actor }),
    ),
  /** Plugged in elsewhere; of a machine that is on, at once. */
  moveCard: operatorProcedure
    .input(vmCardMoveRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: MOVE_CARD, request: input, actor: ctx.actor }),
    ),
  removeCard: operatorProcedure
    .input(vmCardRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: REMOVE_CARD, request: input, actor: ctx.actor }),
    ),
  /** An ISO image, or null for none; of a machine that is on, at once. */
  changeCd: operatorProcedure
    .input(vmCdRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: CHANGE_CD, request: input, actor: ctx.actor }),
    ),
  /** What it looks for a system in, from its next start on. */
  setBootOrder: operatorProcedure
    .input(vmBootRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: SET_BOOT_ORDER, request: input, actor: ctx.actor }),
    ),
  /** With what each takes of the pool now. */
  disks: viewerProcedure
    .input(one)
    .query(({ ctx, input }): Promise<VmDiskUse[]> => ctx.services.vms.disks(input.id)),
  /** An empty one; of a machine that is on, at once. */
  addDisk: operatorProcedure
    .input(vmDiskAddRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: ADD_DISK, request: input, actor: ctx.actor }),
    ),
  /** Names the file that goes. */
  previewRemoveDisk: operatorProcedure
    .input(vmDiskRequest)
    .query(({ ctx, input }): Promise<PlanPreview> => ctx.services.operations.preview(REMOVE_DISK, input)),
  removeDisk: operatorProcedure
    .input(vmDiskRequest.extend({ confirmCode }))
    .mutation(({ ctx, input: { confirmCode: code, ...request } }): Promise<Operation> =>
      ctx.services.operations.start({
        ...{ kind: REMOVE_DISK, request, actor: ctx.actor, confirmCode: code ?? null },
      }),
    ),
  /** A larger disk, of one that is on too. */
  growDisk: operatorProcedure
    .input(vmDiskGrowRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: GROW_DISK, request: input, actor: ctx.actor }),
    ),
};
