import type { SystemView } from '$lib/shared/wire/feed';
import { AppError } from '../../errors';
import type { DoctorReport } from '$lib/shared/wire/doctor';
import { operatorProcedure, router, viewerProcedure } from '../init';

export const systemRouter = router({
  view: viewerProcedure.query(({ ctx }): SystemView => {
    const view = ctx.services.feed.get('system', 'system');
    if (!view) throw new AppError('stopping', 'Cairn is still starting.');
    return view;
  }),
  /** Looks now whether this host has all that Cairn needs; changes nothing. */
  doctor: operatorProcedure.mutation(({ ctx }): Promise<DoctorReport> => ctx.services.doctor.check()),
});
