import { z } from 'zod';
import { ROLES } from '$lib/shared/states';
import type { UserView } from '$lib/shared/wire/session';
import { adminProcedure, router } from '../init';

const id = z.string().max(100);

export const usersRouter = router({
  list: adminProcedure.query(({ ctx }): UserView[] => ctx.services.auth.users.list()),
  create: adminProcedure
    .input(
      z.strictObject({ username: z.string().max(200), password: z.string().max(1_000), role: z.enum(ROLES) }),
    )
    .mutation(({ ctx, input }): Promise<UserView> => {
      ctx.services.auth.requireFresh(ctx.actor);
      return ctx.services.auth.createUser(input);
    }),
  setRole: adminProcedure
    .input(z.strictObject({ id, role: z.enum(ROLES) }))
    .mutation(({ ctx, input }): UserView => {
      ctx.services.auth.requireFresh(ctx.actor);
      return ctx.services.auth.users.setRole(input.id, input.role);
    }),
  /** For somebody who has lost phone and codes: the password alone opens again. */
  resetSecondFactor: adminProcedure.input(z.strictObject({ id })).mutation(({ ctx, input }): { ok: true } => {
    ctx.services.auth.requireFresh(ctx.actor);
    ctx.services.auth.resetSecondFactor(input.id);
    return { ok: true };
  }),
  /** Ends the user's sessions too. */
  remove: adminProcedure.input(z.strictObject({ id })).mutation(({ ctx, input }): { ok: true } => {
    ctx.services.auth.requireFresh(ctx.actor);
    ctx.services.auth.removeUser(input.id);
    return { ok: true };
  }),
});
