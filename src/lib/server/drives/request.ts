/** Requests of operations on drives, checked. */
import type { z } from 'zod';
import type { JsonObject } from '$lib/shared/json';
import { issue, issuesError } from '../errors';

/** @throws AppError with an issue for each field that is wrong */
export function parseRequest<T>(schema: z.ZodType<T>, request: JsonObject): T {
  const result = schema.safeParse(request);
  if (result.success) return result.data;
  throw issuesError(
    result.error.issues.map((found) =>
      issue(
        found.code === 'unrecognized_keys' ? 'unknown_field' : 'invalid_input',
        found.message,
        found.path.join('.') || undefined,
      ),
    ),
  );
}
