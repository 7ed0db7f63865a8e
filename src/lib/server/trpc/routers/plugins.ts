import type { PluginView } from '$lib/shared/wire/plugins';
import { operatorProcedure, router, viewerProcedure } from '../init';

export const pluginsRouter = router({
  list: viewerProcedure.query(({ ctx }): PluginView[] => ctx.services.plugins.list()),
  /** Looks again whether each plugin's programs and kernel support are there. */
  refresh: operatorProcedure.mutation(async ({ ctx }): Promise<PluginView[]> => {
    await ctx.services.plugins.refresh();
    return ctx.services.plugins.list();
  }),
});
