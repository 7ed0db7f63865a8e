import type { UpdateView } from '$lib/shared/wire/updates';
import { operatorProcedure, router, viewerProcedure } from '../init';

export const updatesRouter = router({
  /** The version that runs, and what was offered when somebody looked last. */
  view: viewerProcedure.query(({ ctx }): UpdateView => ctx.services.updates.view()),
  /** Asks the channel now; changes nothing of the host. */
  check: operatorProcedure.mutation(({ ctx }): Promise<UpdateView> => ctx.services.updates.check()),
});
