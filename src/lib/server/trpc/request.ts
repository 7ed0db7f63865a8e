import type { RequestEvent } from '@sveltejs/kit';
import { SESSION_COOKIE, SESSION_COOKIE_SECONDS } from '../auth/sessions';
import { AppError } from '../errors';
import { getHandle } from '../handle';
import type { Logger } from '../log';
import { readBody } from '../rest/body';
import type { RequestContext, SessionCookie } from './context';
import { refusedCall } from './error-formatter';
import { answerTrpc, TRPC_ENDPOINT } from './http';

/** Lax, so that a link from a dashboard elsewhere opens Cairn signed in; what changes things is checked by its Origin. */
function sessionCookie({ cookies, url }: RequestEvent): SessionCookie {
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure: url.protocol === 'https:' } as const;
  return {
    set: (token) => cookies.set(SESSION_COOKIE, token, { ...options, maxAge: SESSION_COOKIE_SECONDS }),
    clear: () => cookies.delete(SESSION_COOKIE, options),
  };
}

export const isCall = (pathname: string): boolean => pathname.startsWith(`${TRPC_ENDPOINT}/`);

export function refuseCall(thrown: unknown, log: Pick<Logger, 'error'>): Response {
  const { status, body } = refusedCall(thrown, log);
  return Response.json(body, { status, headers: { 'cache-control': 'no-store' } });
}

/** What tRPC does not take; RFC 9110 wants the methods that it does. */
export function refuseMethod({ request }: RequestEvent): Response {
  const { log } = getHandle();
  const refused = refuseCall(
    new AppError('method_not_allowed', `This address does not take ${request.method}.`),
    log,
  );
  refused.headers.set('allow', 'GET, POST');
  return refused;
}

/** tRPC over HTTP, as a route of Kit: the body is read within its limit first. */
export async function answerCall(event: RequestEvent): Promise<Response> {
  const services = getHandle();
  const { request, locals, cookies } = event;
  const context: RequestContext = {
    services,
    identify: () => Promise.resolve(locals.actor),
    token: cookies.get(SESSION_COOKIE) ?? null,
    cookie: sessionCookie(event),
    address: locals.address,
    userAgent: request.headers.get('user-agent') ?? '',
  };
  if (request.method !== 'POST') return answerTrpc(request, context);
  try {
    const body = await readBody(request);
    const { url, method, headers, signal } = request;
    return await answerTrpc(new Request(url, { method, headers, signal, body }), context);
  } catch (error) {
    return refuseCall(error, services.log);
  }
}
