import { TRPCError, type TRPCDefaultErrorShape } from '@trpc/server';
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import { ZodError } from 'zod';
import { errorEntry, type ErrorCode } from '$lib/shared/error-codes';
import { AppError } from '../errors';
import type { Logger } from '../log';
import { wireError, zodError, type WireAppError } from '../wire-error';
import type { RequestContext } from './context';

type TrpcCode = TRPCError['code'];

const TRPC_CODES: Record<number, TrpcCode> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_SUPPORTED',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'UNPROCESSABLE_CONTENT',
  429: 'TOO_MANY_REQUESTS',
  500: 'INTERNAL_SERVER_ERROR',
  502: 'BAD_GATEWAY',
  503: 'SERVICE_UNAVAILABLE',
};

/** What tRPC itself refuses before any of our code runs. */
const OWN_CODES: Partial<Record<TrpcCode, ErrorCode>> = {
  PARSE_ERROR: 'malformed_json',
  BAD_REQUEST: 'invalid_input',
  NOT_FOUND: 'not_found',
  METHOD_NOT_SUPPORTED: 'method_not_allowed',
  PAYLOAD_TOO_LARGE: 'body_too_large',
  UNSUPPORTED_MEDIA_TYPE: 'unsupported_media_type',
  UNAUTHORIZED: 'unauthenticated',
  FORBIDDEN: 'forbidden',
};

/** An error of ours as one of tRPC's, with the code that gives the right HTTP status. */
export function toTrpcError(thrown: unknown): TRPCError {
  if (thrown instanceof TRPCError) return thrown;
  const error = thrown instanceof ZodError ? zodError(thrown) : thrown;
  if (!(error instanceof AppError))
    return new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'unexpected error', cause: thrown });
  return new TRPCError({
    code: TRPC_CODES[error.status] ?? 'INTERNAL_SERVER_ERROR',
    message: error.message,
    cause: error,
  });
}

/** What went wrong in words of ours, also where tRPC itself refused the call. */
export function causeOf(error: TRPCError): unknown {
  if (error.cause instanceof AppError || error.cause instanceof ZodError) return error.cause;
  const own = error.cause instanceof SyntaxError ? 'malformed_json' : OWN_CODES[error.code];
  return own ? new AppError(own) : (error.cause ?? error);
}

function presented(error: TRPCError, log: Pick<Logger, 'error'>): WireAppError {
  if (error.cause instanceof AppError || error.cause instanceof ZodError) return wireError(error.cause, log);
  const own = error.cause instanceof SyntaxError ? 'malformed_json' : OWN_CODES[error.code];
  // tRPC's own sentences are for developers; they stay for the lookups, which name the procedure that is not there.
  if (own) return wireError(new AppError(own, own === 'not_found' ? error.message : undefined), log);
  return wireError(error.cause ?? error, log);
}

export type ErrorShape = Pick<TRPCDefaultErrorShape, 'code' | 'message'> & {
  data: { code: string; httpStatus: number; path: string | undefined; appError: WireAppError };
};

function shapeOf(appError: WireAppError, path: string | undefined): ErrorShape {
  const { status } = errorEntry(appError.code);
  const code = TRPC_CODES[status] ?? 'INTERNAL_SERVER_ERROR';
  return {
    code: TRPC_ERROR_CODES_BY_KEY[code],
    message: appError.message,
    data: { code, httpStatus: status, path, appError },
  };
}

/** The answer for a request that was refused before tRPC saw it; its client reads it as the answer of every call. */
export function refusedCall(
  thrown: unknown,
  log: Pick<Logger, 'error'>,
): { status: number; body: { error: ErrorShape } } {
  const appError = wireError(thrown, log);
  return { status: errorEntry(appError.code).status, body: { error: shapeOf(appError, undefined) } };
}

const silent: Pick<Logger, 'error'> = { error: () => undefined };

/** Every error over tRPC carries `data.appError`; nothing else of it is meant to be read. */
export function formatError(options: {
  shape: TRPCDefaultErrorShape;
  error: TRPCError;
  ctx: RequestContext | undefined;
}): ErrorShape {
  const { shape, error, ctx } = options;
  const appError = presented(error, ctx?.services.log ?? silent);
  return shapeOf(appError, shape.data.path);
}
