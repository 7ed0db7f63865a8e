import {
  certificateRequest,
  type CertificateCheck,
  type CertificateView,
} from '$lib/shared/wire/certificates';
import type { Operation } from '$lib/shared/wire/operations';
import { adminProcedure, router, viewerProcedure } from '../init';

export const certificateRouter = router({
  view: viewerProcedure.query(({ ctx }): CertificateView | null => ctx.services.certificate.view()),
  /** Looks at what would be served, and keeps nothing of it. */
  check: adminProcedure
    .input(certificateRequest)
    .mutation(({ ctx, input }): CertificateCheck => ctx.services.certificate.check(input)),
  replace: adminProcedure
    .input(certificateRequest)
    .mutation(({ ctx, input }): Promise<Operation> => ctx.services.certificate.replace(input, ctx.actor)),
  makeOwn: adminProcedure.mutation(({ ctx }): Promise<Operation> =>
    ctx.services.certificate.makeOwn(ctx.actor),
  ),
});
