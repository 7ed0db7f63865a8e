/** Any thrown value as what a client may see: a code, sentences and data, never a stack. Shared by tRPC and REST. */
import { randomBytes } from 'node:crypto';
import { ZodError } from 'zod';
import type { ErrorCode, Issue } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';
import { requestIssues } from '$lib/shared/wire/requests';
import { AppError, issuesError, toAppError } from './errors';
import type { Logger } from './log';

export interface WireAppError {
  code: ErrorCode;
  message: string;
  remedy: string | null;
  details: JsonObject;
  issues: Issue[];
}

/** All that a schema refused, by field. */
export const zodError = (error: ZodError): AppError => issuesError(requestIssues(error));

/** The same for any thrown value, a schema's refusal included. */
export const zodToAppError = (thrown: unknown): AppError =>
  thrown instanceof ZodError ? zodError(thrown) : toAppError(thrown);

/** A short reference that finds the stack in the log. */
export const newReference = (): string => randomBytes(5).toString('hex');

/** Writes an unexpected error to the log and gives what the client sees instead. */
function reportBug(error: AppError, log: Pick<Logger, 'error'>): WireAppError {
  const reference = newReference();
  log.error({ error: error.cause ?? error, reference }, 'unexpected error');
  return {
    code: 'bug',
    message: `Something went wrong inside Cairn. Reference: ${reference}.`,
    remedy: 'Look for the reference in the log and report it.',
    details: { reference },
    issues: [],
  };
}

export function wireError(thrown: unknown, log: Pick<Logger, 'error'>): WireAppError {
  const error = zodToAppError(thrown);
  if (error.code === 'bug') return reportBug(error, log);
  return {
    code: error.code,
    message: error.message,
    remedy: error.remedy ?? null,
    details: error.details,
    issues: error.issues,
  };
}
