/**
 * The four kinds of procedure. Each declares the least role that may call it, in its meta, where one middleware reads it:
 * a procedure without a declared role is refused, so forgetting it can never open a door.
 */
import { initTRPC } from '@trpc/server';
import type { Role } from '$lib/shared/states';
import type { AuditCall } from '../audit/audit';
import { AppError } from '../errors';
import { authorise, type CallKind } from '../auth/authorise';
import type { RequestContext } from './context';
import { causeOf, formatError, toTrpcError } from './error-formatter';

export interface ProcedureMeta {
  role?: Role | 'anonymous';
}

/** A plan that is only shown changes nothing; who signs in is noted by auth itself, before there is a session. */
const kindOf = (path: string, type: string): CallKind =>
  /\.preview/.test(path) ? 'plans' : type === 'mutation' ? 'acts' : 'looks';
const isAct = (path: string, type: string): boolean => kindOf(path, type) === 'acts' && !SIGNING_IN.has(path);
const SIGNING_IN = new Set(['session.login', 'session.setup', 'session.secondFactor']);
const isDenial = (error: unknown): boolean =>
  error instanceof AppError && [401, 403, 429].includes(error.status);

// isDev false: tRPC would otherwise send stacks whenever NODE_ENV is not production.
const t = initTRPC
  .context<RequestContext>()
  .meta<ProcedureMeta>()
  .create({ isDev: false, errorFormatter: formatError });

export const router = t.router;

const guarded = t.procedure.use(async ({ ctx, meta, path, type, getRawInput, next }) => {
  const actor = await ctx.identify();
  const { audit } = ctx.services;
  const call: AuditCall = { actor, what: path, address: ctx.address, userAgent: ctx.userAgent };
  try {
    authorise(meta?.role, actor, path, kindOf(path, type));
    if (actor) ctx.services.rates.take(actor);
  } catch (error) {
    audit.denied(call, error);
    throw toTrpcError(error);
  }
  const run = () => next({ ctx: { actor } });
  let result: Awaited<ReturnType<typeof run>>;
  if (isAct(path, type)) {
    // Input that cannot even be read is refused behind this, with its own code.
    const input = await getRawInput().catch((error: unknown) => ({ unreadable: error instanceof Error }));
    result = await audit.act({ ...call, input }, run, (ended) =>
      ended.ok ? undefined : causeOf(ended.error),
    );
  } else {
    result = await run();
    if (!result.ok && !SIGNING_IN.has(path) && isDenial(causeOf(result.error)))
      audit.denied(call, causeOf(result.error));
  }
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
