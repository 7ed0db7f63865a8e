/** Any thrown value as what a client may see: a code, sentences and data, never a stack. Shared by tRPC and REST. */
import { randomBytes } from 'node:crypto';
import { ZodError } from 'zod';
import { isErrorCode, type ErrorCode, type Issue } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';
import { AppError, issue, issuesError, toAppError } from './errors';
import type { Logger } from './log';

export interface WireAppError {
  code: ErrorCode;
  message: string;
  remedy: string | null;
  details: JsonObject;
  issues: Issue[];
}

type ZodIssue = ZodError['issues'][number];

function issuesOf(found: ZodIssue): Issue[] {
  const at = (...more: PropertyKey[]): string => [...found.path, ...more].map(String).join('.');
  if (found.code === 'unrecognized_keys')
    return found.keys.map((key) => issue('unknown_field', `There is no field "${key}" here.`, at(key)));
  // A schema names one of our codes through `params`, so that the form can show its sentence and remedy.
  const named = found.code === 'custom' ? found.params?.['code'] : undefined;
  const code = typeof named === 'string' && isErrorCode(named) ? named : 'invalid_input';
  return [issue(code, found.message, at())];
}

/** All that a schema refused, by field. */
export const zodError = (error: ZodError): AppError => issuesError(error.issues.flatMap(issuesOf));

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
  const error = thrown instanceof ZodError ? zodError(thrown) : toAppError(thrown);
  if (error.code === 'bug') return reportBug(error, log);
  return {
    code: error.code,
    message: error.message,
    remedy: error.remedy ?? null,
    details: error.details,
    issues: error.issues,
  };
}
