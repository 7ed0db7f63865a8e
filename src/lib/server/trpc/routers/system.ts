import type { SystemView } from '$lib/shared/wire/feed';
import { AppError } from '../../errors';
import { router, viewerProcedure } from '../init';

export const systemRouter = router({
  view: viewerProcedure.query(({ ctx }): SystemView => {
    const view = ctx.services.feed.get('system', 'system');
    if (!view) throw new AppError('stopping', 'Cairn is still starting.');
    return view;
  }),
});
