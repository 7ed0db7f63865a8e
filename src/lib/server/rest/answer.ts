/** The frame of every REST address: who may call it, what the answer looks like, also when it is an error. */
import type { RequestEvent } from '@sveltejs/kit';
import type { ZodType } from 'zod';
import { errorEntry } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';
import type { Role } from '$lib/shared/states';
import type { Actor } from '$lib/shared/wire/session';
import type { AuditCall } from '../audit/audit';
import { AppError } from '../errors';
import { getHandle } from '../handle';
import type { Logger } from '../log';
import { authorise, type CallKind } from '../auth/authorise';
import type { Services } from '../services';
import { wireError } from '../wire-error';
import { readJson } from './body';

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

export interface RestAbout {
  /** The body and the query, by the schemas that check them: they are in the OpenAPI document. */
  body?: ZodType;
  query?: ZodType;
  /** The body is bytes, whatever its type says: nobody else reads it. */
  takesBytes?: boolean;
  /** False for what changes nothing, or comes by the thousand and is told of otherwise. */
  audited?: boolean;
}
export interface RestHandler {
  (event: RequestEvent): Promise<Response>;
  about: RestAbout & { role: Role };
}
const READING = new Set(['GET', 'HEAD']);
/** A plan that is only shown changes nothing. */
const PLANNING = /\/(preview|removal|validation)$/;
const kindOf = ({ request, route }: RequestEvent): CallKind =>
  PLANNING.test(route.id ?? '') ? 'plans' : READING.has(request.method) ? 'looks' : 'acts';

/** The call as the audit log keeps it: the address with its parameters, and the body where it is JSON. */
async function callOf(event: RequestEvent, actor: Actor | null, withBody = true): Promise<AuditCall> {
  const { request, locals, params, route, url } = event;
  const isJson = request.headers.get('content-type')?.startsWith('application/json') ?? false;
  const query = Object.fromEntries(url.searchParams);
  // What cannot be read is refused by the handler, which gets the same error.
  const body = withBody && isJson ? await readJson(request).catch(() => ({ unreadable: true })) : {};
  return {
    ...{ actor, address: locals.address, userAgent: request.headers.get('user-agent') ?? '' },
    what: `${request.method} ${route.id ?? url.pathname}`,
    input: { ...params, ...(Object.keys(query).length > 0 ? { query } : {}), ...(body as object) },
  };
}

/** A REST address: the least role, and what it does. Errors become answers, an unexpected one with a reference. */
export function answer(
  role: Role,
  respond: (request: RestRequest) => Promise<Response> | Response,
  about: RestAbout = {},
): RestHandler {
  const handle = async (event: RequestEvent): Promise<Response> => {
    const services = getHandle();
    const { actor } = event.locals;
    try {
      authorise(role, actor, event.route.id ?? '', kindOf(event));
      if (actor && about.audited !== false) services.rates.take(actor);
    } catch (error) {
      services.audit.denied(await callOf(event, actor, false), error);
      return errorAnswer(error, services.log);
    }
    try {
      if (!actor) throw new AppError('unauthenticated');
      const params: Record<string, string | undefined> = event.params;
      const param = (name: string): string => params[name] ?? '';
      const run = async (): Promise<Response> => respond({ services, actor, event, param });
      if (kindOf(event) !== 'acts' || about.audited === false) return await run();
      return await services.audit.act(await callOf(event, actor, about.takesBytes !== true), run);
    } catch (error) {
      return errorAnswer(error, services.log);
    }
  };
  return Object.assign(handle, { about: { ...about, role } });
}
