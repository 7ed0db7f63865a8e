/** Begins what the comparison of records and machine offers: compared again, so that nothing old is acted upon. */
import type { Difference } from '$lib/shared/wire/found';
import type { Operation } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import { AppError } from '../errors';
import type { Operations } from '../operations/types';
import type { Validate } from './validate';

/** @throws AppError found_not_found: the difference is not there any more; what starting the operation throws */
export async function mendDifference(
  { validate, operations }: { validate: Validate; operations: Operations },
  wanted: Pick<Difference, 'kind' | 'poolGuid' | 'text'>,
  actor: Actor,
): Promise<Operation> {
  const { differences } = await validate.check();
  const found = differences.find(
    ({ kind, poolGuid, text }) =>
      kind === wanted.kind && poolGuid === wanted.poolGuid && text === wanted.text,
  );
  if (!found?.mend)
    throw new AppError('found_not_found', 'That difference is not there any more.', {
      remedy: 'Compare again.',
    });
  return operations.start({ kind: found.mend.operation, request: found.mend.request, actor });
}
