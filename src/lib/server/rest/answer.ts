/** The frame of every REST address: who may call it, what the answer looks like, also when it is an error. */
import type { RequestEvent } from '@sveltejs/kit';
import { errorEntry } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';
import type { Role } from '$lib/shared/states';
import type { Actor } from '$lib/shared/wire/session';
import { AppError } from '../errors';
import { getHandle } from '../handle';
import type { Logger } from '../log';
import { authorise } from '../auth/authorise';
import type { Services } from '../services';
import { wireError } from '../wire-error';

const HEADERS = { 'cache-control': 'no-store' };

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers: { ...HEADERS, ...headers } });

/** A JSON object a line, as they come; who leaves ends it. */
export function lines(from: AsyncGenerator<unknown, void>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await from.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
    async cancel() {
      await from.return();
    },
  });
  return new Response(body, { headers: { ...HEADERS, 'content-type': 'application/x-ndjson' } });
}

interface RestError {
  error: { code: string; message: string; details: JsonObject; remedy: string | null };
}

/** `{"error":{"code","message","details"}}`, with the field issues in `details.issues` and what to do in `remedy`. */
export function errorAnswer(
  thrown: unknown,
  log: Pick<Logger, 'error'>,
  headers: Record<string, string> = {},
): Response {
  const { code, message, remedy, details, issues } = wireError(thrown, log);
  const retry = details['retryAfterSeconds'];
  const body: RestError = {
    error: {
      code,
      message,
      details: {
        ...details,
        ...(issues.length > 0 ? { issues: issues.map((entry) => ({ ...entry })) } : {}),
      },
      remedy,
    },
  };
  return json(body, errorEntry(code).status, {
    ...headers,
    ...(typeof retry === 'number' ? { 'retry-after': String(retry) } : {}),
  });
}

export interface RestRequest {
  services: Services;
  actor: Actor;
  event: RequestEvent;
  /** Parameter of the path. */
  param(name: string): string;
}

/** A REST address: the least role, and what it does. Errors become answers, an unexpected one with a reference. */
export const answer =
  (role: Role, respond: (request: RestRequest) => Promise<Response> | Response) =>
  async (event: RequestEvent): Promise<Response> => {
    const services = getHandle();
    try {
      const { actor } = event.locals;
      authorise(role, actor);
      if (!actor) throw new AppError('unauthenticated');
      const params: Record<string, string | undefined> = event.params;
      const param = (name: string): string => params[name] ?? '';
      return await respond({ services, actor, event, param });
    } catch (error) {
      return errorAnswer(error, services.log);
    }
  };
