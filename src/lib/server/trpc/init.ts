/**
 * The four kinds of procedure. Each declares the least role that may call it, in its meta, where one middleware reads it:
 * a procedure without a declared role is refused, so forgetting it can never open a door.
 */
import { initTRPC } from '@trpc/server';
import type { Role } from '$lib/shared/states';
import { AppError } from '../errors';
import { authorise } from '../auth/authorise';
import type { RequestContext } from './context';
import { formatError, toTrpcError } from './error-formatter';

export interface ProcedureMeta {
  role?: Role | 'anonymous';
}

// isDev false: tRPC would otherwise send stacks whenever NODE_ENV is not production.
const t = initTRPC
  .context<RequestContext>()
  .meta<ProcedureMeta>()
  .create({ isDev: false, errorFormatter: formatError });

export const router = t.router;

const guarded = t.procedure.use(async ({ ctx, meta, next }) => {
  const actor = await ctx.identify();
  try {
    authorise(meta?.role, actor);
  } catch (error) {
    throw toTrpcError(error);
  }
  const result = await next({ ctx: { actor } });
  // An AppError from a service carries its own status; tRPC alone would call it an internal error.
  if (!result.ok && result.error.cause instanceof AppError) throw toTrpcError(result.error.cause);
  return result;
});

/** After the guard there is somebody: narrows the type for the procedures behind it. */
const signedIn = guarded.use(({ ctx, next }) => {
  if (!ctx.actor) throw toTrpcError(new AppError('unauthenticated', 'Sign in to do this.'));
  return next({ ctx: { actor: ctx.actor } });
});

export const anonymousProcedure = guarded.meta({ role: 'anonymous' });
export const viewerProcedure = signedIn.meta({ role: 'viewer' });
export const operatorProcedure = signedIn.meta({ role: 'operator' });
export const adminProcedure = signedIn.meta({ role: 'admin' });
