/**
 * Where a request enters: `init` starts the daemon once, `handle` lets in what may come in, `handleError` turns the
 * unexpected into a code and a reference.
 */
import type { Handle, HandleServerError, ServerInit } from '@sveltejs/kit';
import { building } from '$app/environment';
import { startDaemon } from '$lib/server/daemon';
import { findHandle, getHandle } from '$lib/server/handle';
import { SESSION_COOKIE } from '$lib/server/auth/sessions';
import { compressed } from '$lib/server/compress';
import { discardBody } from '$lib/server/rest/body';
import { errorAnswer } from '$lib/server/rest/answer';
import { localActor } from '$lib/server/sockets/local';
import { isCall, refuseCall } from '$lib/server/trpc/request';
import { newReference } from '$lib/server/wire-error';

// The build imports this file to look at the routes: nothing may be opened then.
export const init: ServerInit = async () => {
  if (!building) await startDaemon();
};

const SECURITY_HEADERS: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
};
const READING = new Set(['GET', 'HEAD']);

export const handle: Handle = async ({ event, resolve }) => {
  const { guard, auth, audit, log } = getHandle();
  const header = (name: string): string | null => event.request.headers.get(name);
  // A socket of the host has no address.
  const address = event.getClientAddress() || 'local';
  let response: Response;
  try {
    guard.requireHost(header);
    if (!READING.has(event.request.method)) guard.requireOrigin(header);
    event.locals.address = address;
    event.locals.actor =
      localActor(header) ??
      (await auth.identify({
        token: event.cookies.get(SESSION_COOKIE) ?? null,
        apiKey: event.url.pathname.startsWith('/api/') ? header('x-api-key') : null,
        address: event.locals.address,
      }));
    response = await resolve(event);
  } catch (error) {
    audit.denied(
      {
        actor: null,
        address,
        userAgent: header('user-agent') ?? '',
        what: `${event.request.method} ${event.url.pathname}`,
      },
      error,
    );
    response = isCall(event.url.pathname) ? refuseCall(error, log) : errorAnswer(error, log);
  }
  await discardBody(event.request);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value);
  return compressed(response, header('accept-encoding'));
};

export const handleError: HandleServerError = ({ error, status, message }) => {
  if (status < 500) return { code: status === 404 ? 'not_found' : 'invalid_input', message };
  const ref = newReference();
  findHandle()?.log.error({ error, reference: ref }, 'unexpected error in a page');
  return { code: 'bug', message: 'Something went wrong inside Cairn.', ref };
};
