import { bridgeNameRequest, bridgeRequest } from '$lib/shared/wire/network-changes';
import type { HostLink } from '$lib/shared/wire/networks';
import type { Operation, PreviewResult } from '$lib/shared/wire/operations';
import { keepNetwork, MAKE_BRIDGE, REMOVE_BRIDGE } from '../../networks/bridges';
import { adminProcedure, router, viewerProcedure } from '../init';
import { previewOf } from '../preview';

export const networksRouter = router({
  list: viewerProcedure.query(({ ctx }): HostLink[] => ctx.services.networks.list()),
  previewBridge: adminProcedure
    .input(bridgeRequest)
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.operations.preview(MAKE_BRIDGE, input)),
    ),
  makeBridge: adminProcedure
    .input(bridgeRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: MAKE_BRIDGE, request: input, actor: ctx.actor }),
    ),
  previewRemoveBridge: adminProcedure
    .input(bridgeNameRequest)
    .query(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.operations.preview(REMOVE_BRIDGE, input)),
    ),
  removeBridge: adminProcedure
    .input(bridgeNameRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: REMOVE_BRIDGE, request: input, actor: ctx.actor }),
    ),
  /** Says that the host can still be reached: a change of its network stays. Answered when it is on disk. */
  keep: adminProcedure.mutation(({ ctx }): Promise<Operation> => keepNetwork(ctx.services)),
});
