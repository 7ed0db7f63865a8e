import { z } from 'zod';
import type { Actor, SecondFactorOffer, SecondFactorView } from '$lib/shared/wire/session';
import { AppError } from '../../errors';
import { router, viewerProcedure } from '../init';

/** @throws AppError forbidden for a key, which has no phone */
function person(actor: Actor): Actor {
  if (actor.kind !== 'user') throw new AppError('forbidden', 'Only a person has a second factor.');
  return actor;
}

/** One's own second factor; changing it needs a fresh password. */
export const secondFactorRouter = router({
  view: viewerProcedure.query(({ ctx }): SecondFactorView =>
    ctx.services.auth.secondFactors.of(person(ctx.actor).id),
  ),
  begin: viewerProcedure.mutation(({ ctx }): SecondFactorOffer => {
    const { id, name } = person(ctx.actor);
    ctx.services.auth.requireFresh(ctx.actor);
    return ctx.services.auth.secondFactors.offer(id, name);
  }),
  /** The recovery codes are in this answer and nowhere else: only their hashes are kept. */
  enable: viewerProcedure
    .input(z.strictObject({ code: z.string().max(20) }))
    .mutation(async ({ ctx, input }): Promise<{ recoveryCodes: string[] }> => ({
      recoveryCodes: await ctx.services.auth.secondFactors.enable(person(ctx.actor).id, input.code),
    })),
  renewCodes: viewerProcedure.mutation(({ ctx }): { recoveryCodes: string[] } => {
    ctx.services.auth.requireFresh(ctx.actor);
    return { recoveryCodes: ctx.services.auth.secondFactors.renewCodes(person(ctx.actor).id) };
  }),
  disable: viewerProcedure.mutation(({ ctx }): { ok: true } => {
    ctx.services.auth.requireFresh(ctx.actor);
    ctx.services.auth.secondFactors.remove(person(ctx.actor).id);
    return { ok: true };
  }),
});
