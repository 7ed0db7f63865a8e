import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import { removedVmSettings, type RemovedVms } from '$lib/shared/wire/removed-vms';
import { vmRequest } from '$lib/shared/wire/vms';
import { BRING_BACK, EMPTY } from '../../vms/kinds';
import { adminProcedure, operatorProcedure, router, viewerProcedure } from '../init';
import { confirmCode } from '../preview';

export const removedVmsRouter = router({
  list: viewerProcedure.query(({ ctx }): RemovedVms => ctx.services.vms.removed.list()),
  /** Everything that is in the way of it, or the plan. */
  previewBringBack: operatorProcedure
    .input(vmRequest)
    .query(({ ctx, input }): Promise<PlanPreview> => ctx.services.operations.preview(BRING_BACK, input)),
  /** With all its files, its definition and its snapshots; it is off. */
  bringBack: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: BRING_BACK, request: input, actor: ctx.actor }),
    ),
  /** Names each file that goes. */
  previewEmpty: operatorProcedure
    .input(vmRequest)
    .query(({ ctx, input }): Promise<PlanPreview> => ctx.services.operations.preview(EMPTY, input)),
  /** For good, before its time. */
  empty: operatorProcedure
    .input(vmRequest.extend({ confirmCode }))
    .mutation(({ ctx, input: { confirmCode: code, ...request } }): Promise<Operation> =>
      ctx.services.operations.start({ kind: EMPTY, request, actor: ctx.actor, confirmCode: code ?? null }),
    ),
  /** How long those are kept that are removed from now on. */
  setKeepDays: adminProcedure.input(removedVmSettings).mutation(({ ctx, input }): RemovedVms => {
    ctx.services.vms.removed.setKeepDays(input.keepDays);
    return ctx.services.vms.removed.list();
  }),
});
