import { z } from 'zod';
import { SCOPES, type Scope } from '$lib/shared/scopes';
import { ROLES } from '$lib/shared/states';
import type { Actor, ApiKeyView } from '$lib/shared/wire/session';
import { AppError } from '../../errors';
import { adminProcedure, router } from '../init';

interface NewApiKey {
  key: string;
  view: ApiKeyView;
}

/** A key of some scopes makes no key that may do more. @throws AppError scope_missing */
function mayGive(actor: Actor, scopes: Scope[] | null): void {
  const own = actor.scopes ?? null;
  if (own === null) return;
  const beyond = (scopes ?? SCOPES).find((scope) => !own.includes(scope));
  if (beyond) throw new AppError('scope_missing', `The key ${actor.name} cannot give the scope "${beyond}".`);
}

export const apiKeysRouter = router({
  list: adminProcedure.query(({ ctx }): ApiKeyView[] => ctx.services.auth.apiKeys.list()),
  /** The key itself is in this answer and nowhere else: only its hash is kept. */
  create: adminProcedure
    .input(
      z.strictObject({
        name: z.string().trim().min(1).max(64),
        role: z.enum(ROLES),
        scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).nullish(),
        expiresAt: z.number().int().nullish(),
      }),
    )
    .mutation(({ ctx, input: { scopes = null, expiresAt = null, ...rest } }): NewApiKey => {
      ctx.services.auth.requireFresh(ctx.actor);
      mayGive(ctx.actor, scopes);
      return ctx.services.auth.apiKeys.create({ ...rest, scopes, expiresAt });
    }),
  revoke: adminProcedure
    .input(z.strictObject({ id: z.string().max(100) }))
    .mutation(({ ctx, input }): { ok: true } => {
      ctx.services.auth.apiKeys.revoke(input.id);
      return { ok: true };
    }),
});
