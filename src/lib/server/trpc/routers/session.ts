import { z } from 'zod';
import type { Actor, SessionView, SignInView } from '$lib/shared/wire/session';
import { AppError } from '../../errors';
import type { RequestContext, SessionCookie } from '../context';
import { anonymousProcedure, router, viewerProcedure } from '../init';

export interface SessionState {
  setupNeeded: boolean;
  actor: Actor | null;
  sandbox: boolean;
  hostname: string;
  version: string;
}

const credentials = { username: z.string().max(200), password: z.string().max(1_000) };

/** @throws AppError invalid_input on a socket, which cannot set a cookie */
function cookieOf(ctx: RequestContext): SessionCookie {
  if (!ctx.cookie) throw new AppError('invalid_input', 'This sets a cookie, so it has to be sent over HTTP.');
  return ctx.cookie;
}

export const sessionRouter = router({
  /** What the first page needs to know, also before anybody has signed in. */
  state: anonymousProcedure.query(({ ctx }): SessionState => ({
    setupNeeded: ctx.services.auth.setupNeeded(),
    actor: ctx.actor,
    sandbox: ctx.services.config.sandbox,
    hostname: ctx.services.config.hostname,
    version: ctx.services.version,
  })),
  /** Makes the first administrator, with the code from the console, and signs in. */
  setup: anonymousProcedure
    .input(z.strictObject({ code: z.string().max(100), ...credentials }))
    .mutation(async ({ ctx, input }): Promise<{ actor: Actor }> => {
      const cookie = cookieOf(ctx);
      const { token, actor } = await ctx.services.auth.setup({ ...input, from: ctx });
      cookie.set(token);
      return { actor };
    }),
  login: anonymousProcedure
    .input(z.strictObject(credentials))
    .mutation(async ({ ctx, input }): Promise<{ actor: Actor } | { actor: null; ticket: string }> => {
      const cookie = cookieOf(ctx);
      const signed = await ctx.services.auth.login({ ...input, from: ctx });
      if ('ticket' in signed) return { actor: null, ticket: signed.ticket };
      cookie.set(signed.token);
      return { actor: signed.actor };
    }),
  /** After a right password, where the account has a second factor: the code of the phone, or a recovery code. */
  secondFactor: anonymousProcedure
    .input(z.strictObject({ ticket: z.string().max(100), code: z.string().max(100) }))
    .mutation(async ({ ctx, input }): Promise<{ actor: Actor }> => {
      const cookie = cookieOf(ctx);
      const { token, actor } = await ctx.services.auth.secondStep({ ...input, from: ctx });
      cookie.set(token);
      return { actor };
    }),
  /** The password once more, before something is destroyed; it counts for some minutes. */
  confirm: viewerProcedure
    .input(z.strictObject({ password: z.string().max(1_000) }))
    .mutation(async ({ ctx, input }): Promise<{ ok: true }> => {
      await ctx.services.auth.confirm(ctx.actor, input.password);
      return { ok: true };
    }),
  logout: viewerProcedure.mutation(({ ctx }): { ok: true } => {
    const cookie = cookieOf(ctx);
    if (ctx.actor.sessionId) ctx.services.auth.revokeSession(ctx.actor.id, ctx.actor.sessionId);
    cookie.clear();
    return { ok: true };
  }),
  /** Ends every session of the user and begins a new one here. */
  changePassword: viewerProcedure
    .input(z.strictObject({ current: z.string().max(1_000), next: z.string().max(1_000) }))
    .mutation(async ({ ctx, input }): Promise<{ ok: true }> => {
      const cookie = cookieOf(ctx);
      const { token } = await ctx.services.auth.changePassword(ctx.actor, { ...input, from: ctx });
      cookie.set(token);
      return { ok: true };
    }),
  revokeOthers: viewerProcedure.mutation(({ ctx }): { ok: true } => {
    ctx.services.auth.revokeOthers(ctx.actor);
    return { ok: true };
  }),
  /** Who signed in to one's own account, and who tried to. */
  history: viewerProcedure.query(({ ctx }): SignInView[] => ctx.services.audit.signIns(ctx.actor)),
  list: viewerProcedure.query(({ ctx }): SessionView[] => ctx.services.auth.listSessions(ctx.actor)),
  revoke: viewerProcedure
    .input(z.strictObject({ id: z.string().max(100) }))
    .mutation(({ ctx, input }): { ok: true } => {
      ctx.services.auth.revokeSession(ctx.actor.id, input.id);
      return { ok: true };
    }),
});
