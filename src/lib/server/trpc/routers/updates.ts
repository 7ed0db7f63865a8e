import type { UpdateView } from '$lib/shared/wire/updates';
import { applyUpdateRequest, rollBackRequest, skipUpdateRequest } from '$lib/shared/wire/update-requests';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import { adminProcedure, operatorProcedure, router, viewerProcedure } from '../init';

export const updatesRouter = router({
  /** The version that runs, and what was offered when somebody looked last. */
  view: viewerProcedure.query(({ ctx }): UpdateView => ctx.services.updates.view()),
  /** Asks the channel now; changes nothing of the host. */
  check: operatorProcedure.mutation(({ ctx }): Promise<UpdateView> => ctx.services.updates.check()),
  /** Nobody is told of that version any more, or is again; it can be installed all the same. */
  skip: adminProcedure
    .input(skipUpdateRequest)
    .mutation(({ ctx, input }): UpdateView => ctx.services.updates.skip(input)),
  /** What `install` would do; asks the channel, and changes nothing of the host. */
  preview: adminProcedure
    .input(applyUpdateRequest)
    .mutation(({ ctx, input }): Promise<PlanPreview> => ctx.services.releases.preview(input)),
  /** Puts the version that was offered in the place of the one that runs. */
  install: adminProcedure
    .input(applyUpdateRequest)
    .mutation(({ ctx, input }): Promise<Operation> => ctx.services.releases.apply(input, ctx.actor)),
  previewRollBack: adminProcedure.mutation(({ ctx }): Promise<PlanPreview> =>
    ctx.services.releases.previewRollBack(),
  ),
  /** Goes back to the version before. */
  rollBack: adminProcedure
    .input(rollBackRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.releases.rollBack(input.confirmCode ?? null, ctx.actor),
    ),
  /** Updates and ways back, the newest first. */
  history: viewerProcedure.query(({ ctx }): Operation[] => ctx.services.releases.history()),
});
