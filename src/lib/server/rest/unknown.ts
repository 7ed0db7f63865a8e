import type { RequestEvent } from '@sveltejs/kit';
import { AppError } from '../errors';
import { getHandle } from '../handle';
import { errorAnswer } from './answer';

/** Any other address below /api. */
export const unknownAddress = ({ url, request }: RequestEvent): Response =>
  errorAnswer(
    new AppError('not_found', `There is no address ${request.method} ${url.pathname}.`),
    getHandle().log,
  );

/** A known address with a method that it does not take; RFC 9110 wants the methods that it does. */
export const notAllowed =
  (...allowed: string[]) =>
  ({ request }: RequestEvent): Response =>
    errorAnswer(
      new AppError('method_not_allowed', `This address does not take ${request.method}.`, {
        details: { allowed },
      }),
      getHandle().log,
      { allow: allowed.join(', ') },
    );
