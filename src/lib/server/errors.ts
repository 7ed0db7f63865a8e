import { errorEntry, type ErrorCode, type Issue } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';

/**
 * The one error class of the server. `message` says what happened and why in the user's words, `remedy` what to do;
 * `details` is data for programs (field issues, the holder of a lock, argv and exit code of a command). Nothing secret.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: JsonObject;
  readonly remedy: string | undefined;
  readonly issues: Issue[];

  constructor(
    code: ErrorCode,
    message: string = errorEntry(code).title,
    options: { details?: JsonObject; remedy?: string; issues?: Issue[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
    this.details = options.details ?? {};
    this.remedy = options.remedy ?? errorEntry(code).remedy;
  }

  get status(): number {
    return errorEntry(this.code).status;
  }
}

/**
 * Several things wrong at once. One issue gives its own code; more give `invalid_input` with all of them in `issues`.
 * @throws nothing: it returns the error for the caller to throw.
 */
export function issuesError(issues: Issue[]): AppError {
  const [only] = issues;
  if (issues.length === 1 && only)
    return new AppError(only.code, only.message, { issues, ...(only.remedy ? { remedy: only.remedy } : {}) });
  return new AppError('invalid_input', issues.map((issue) => issue.message).join(' '), { issues });
}

/** Builds an issue with the default remedy of its code. */
export function issue(code: ErrorCode, message: string, field?: string, remedy?: string): Issue {
  const advice = remedy ?? errorEntry(code).remedy;
  return { code, message, ...(field ? { field } : {}), ...(advice ? { remedy: advice } : {}) };
}

/** Result codes of SQLite that mean: the disk is full, read-only or broken (sqlite.org/rescode.html). */
const UNWRITABLE = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/;

/** Any thrown value as an AppError; what is not one already becomes `bug` with the original as its cause. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (
    thrown instanceof Error &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    UNWRITABLE.test(thrown.code)
  )
    return new AppError('database_unwritable', `The database cannot be written: ${thrown.message}.`, {
      cause: thrown,
    });
  return new AppError('bug', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}
