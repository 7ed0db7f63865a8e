/** The first look at a request, before Kit and before static files: both trust Host and the address as they come. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestGuard } from '../auth/request-guard';
import { AppError } from '../errors';

/** Percent-encodings must be whole and mean UTF-8 without NUL; anything else is no address of ours. */
function isWellFormed(url: string): boolean {
  try {
    return !decodeURIComponent(url.split('?')[0] ?? '').includes('\0');
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

function refuse(response: ServerResponse, error: AppError): void {
  const { code, message, details, remedy } = error;
  const body = JSON.stringify({ error: { code, message, details, remedy: remedy ?? null } });
  response.writeHead(error.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}

/** @returns true when the request has been answered, because it must not go further */
export function screenRequest(
  request: IncomingMessage,
  response: ServerResponse,
  guard: RequestGuard,
): boolean {
  response.setHeader('x-content-type-options', 'nosniff');
  const host = request.headers.host ?? null;
  if (!guard.hostAllowed(host)) {
    refuse(
      response,
      new AppError('bad_host', `This server does not answer to the host name ${host ?? '(none)'}.`),
    );
    return true;
  }
  if (!isWellFormed(request.url ?? '')) {
    refuse(response, new AppError('invalid_input', 'The address of the request is not well-formed.'));
    return true;
  }
  return false;
}
