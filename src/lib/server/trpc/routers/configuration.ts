import {
  restoreRequest,
  type ConfigurationCopies,
  type ConfigurationPlace,
  type Restore,
  type RestorePlan,
} from '$lib/shared/wire/configuration';
import { adminProcedure, router } from '../init';

export const configurationRouter = router({
  copies: adminProcedure.query(({ ctx }): Promise<ConfigurationCopies> =>
    ctx.services.configuration.copies(),
  ),
  /** To every pool that can take one, now. */
  write: adminProcedure.mutation(({ ctx }): Promise<ConfigurationPlace[]> =>
    ctx.services.configuration.write(true),
  ),
  /** Looks into the pools that are found, read-only, for copies that lie there. */
  look: adminProcedure.mutation(async ({ ctx }): Promise<ConfigurationCopies> => {
    await ctx.services.restores.look(ctx.actor);
    return ctx.services.configuration.copies();
  }),
  /** What a restore would do here, thing by thing. */
  previewRestore: adminProcedure
    .input(restoreRequest)
    .mutation(({ ctx, input }): Promise<RestorePlan> => ctx.services.restores.preview(input)),
  restore: adminProcedure
    .input(restoreRequest)
    .mutation(({ ctx, input }): Promise<Restore> => ctx.services.restores.start(input, ctx.actor)),
});
