import type { HostLink } from '$lib/shared/wire/networks';
import { router, viewerProcedure } from '../init';

export const networksRouter = router({
  list: viewerProcedure.query(({ ctx }): HostLink[] => ctx.services.networks.list()),
});
