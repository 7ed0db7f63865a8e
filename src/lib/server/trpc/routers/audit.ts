import { auditQuery, type AuditPage } from '$lib/shared/wire/audit';
import { adminProcedure, router } from '../init';

export const auditRouter = router({
  /** Newest first. */
  page: adminProcedure.input(auditQuery).query(({ ctx, input }): AuditPage => ctx.services.audit.page(input)),
  /** Says when there is something new to ask for. */
  onChange: adminProcedure.subscription(({ ctx, signal }) => ctx.services.audit.follow(signal)),
});
