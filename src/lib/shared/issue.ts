import { errorEntry, type ErrorCode, type Issue } from './error-codes';

/** An issue with the default remedy of its code. `field` is a path with dots; empty: the request as a whole. */
export function issueOf(code: ErrorCode, message: string, field: string): Issue {
  const { remedy } = errorEntry(code);
  return { code, message, ...(field ? { field } : {}), ...(remedy ? { remedy } : {}) };
}
