import { installRequest, pluginIdRequest, stageRequest } from '$lib/shared/wire/plugin-requests';
import type { Operation } from '$lib/shared/wire/operations';
import type { PluginView, StagedPlugin } from '$lib/shared/wire/plugins';
import { adminProcedure, operatorProcedure, router, viewerProcedure } from '../init';

export const pluginsRouter = router({
  list: viewerProcedure.query(({ ctx }): PluginView[] => ctx.services.plugins.list()),
  /** Looks again whether each plugin's programs and kernel support are there. */
  refresh: operatorProcedure.mutation(async ({ ctx }): Promise<PluginView[]> => {
    await ctx.services.plugins.refresh();
    return ctx.services.plugins.list();
  }),
  /** Reads what is to be installed; nothing of it is run. */
  stage: adminProcedure
    .input(stageRequest)
    .mutation(({ ctx, input }): Promise<StagedPlugin> => ctx.services.thirdParty.stage(input)),
  install: adminProcedure
    .input(installRequest)
    .mutation(({ ctx, input }): Promise<Operation> => ctx.services.thirdParty.install(input, ctx.actor)),
  remove: adminProcedure
    .input(pluginIdRequest)
    .mutation(({ ctx, input }): Promise<Operation> => ctx.services.thirdParty.remove(input.id, ctx.actor)),
  enable: adminProcedure
    .input(pluginIdRequest)
    .mutation(({ ctx, input }): Promise<PluginView> => ctx.services.thirdParty.setEnabled(input.id, true)),
  disable: adminProcedure
    .input(pluginIdRequest)
    .mutation(({ ctx, input }): Promise<PluginView> => ctx.services.thirdParty.setEnabled(input.id, false)),
});
