import { z } from 'zod';
import { ROLES } from '$lib/shared/states';
import type { ApiKeyView } from '$lib/shared/wire/session';
import { adminProcedure, router } from '../init';

export const apiKeysRouter = router({
  list: adminProcedure.query(({ ctx }): ApiKeyView[] => ctx.services.auth.apiKeys.list()),
  /** The key itself is in this answer and nowhere else: only its hash is kept. */
  create: adminProcedure
    .input(z.strictObject({ name: z.string().trim().min(1).max(64), role: z.enum(ROLES) }))
    .mutation(({ ctx, input }): { key: string; view: ApiKeyView } => ctx.services.auth.apiKeys.create(input)),
  revoke: adminProcedure
    .input(z.strictObject({ id: z.string().max(100) }))
    .mutation(({ ctx, input }): { ok: true } => {
      ctx.services.auth.apiKeys.revoke(input.id);
      return { ok: true };
    }),
});
