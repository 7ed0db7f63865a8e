/**
 * The one handle of the running daemon. The server bundle, the process entry and the development server each have their
 * own copies of modules; what they share is this entry of globalThis. Only types are imported here, so that the process
 * entry can import this file without the bundle.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestGuard } from './auth/request-guard';
import type { Services } from './services';
import type { WebServer } from './sockets/web-server';

export interface Readiness {
  ready: boolean;
  /** Why not; a sentence each. */
  reasons: string[];
}
export interface CairnHandle extends Services {
  guard: RequestGuard;
  sockets: {
    /** Takes over an upgrade for a path of ours; false for any other, which is then somebody else's. */
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
    count(): number;
  };
  /** Answers what must not reach the pages: foreign hosts, addresses that are no addresses. True when it has answered. */
  screen(request: IncomingMessage, response: ServerResponse): boolean;
  readiness(): Readiness;
  /** What answers requests, to be asked over the local socket too: see sockets/local.ts. Done by `webServer`. */
  serveLocally(listener: RequestListener): void;
  /** What listens where the settings say, by HTTPS or HTTP, and hands requests for pages on; those over the local socket too. */
  webServer(pages: (request: IncomingMessage, response: ServerResponse) => void): WebServer;
  /** The server listens: told to systemd, and the line with its addresses is printed. */
  listening(urls: string[]): void;
  /** Ends everything in order; the second call gets the same promise. */
  stop(reason: string): Promise<void>;
}

const KEY = Symbol.for('cairn.handle');
const slot = globalThis as { [KEY]?: CairnHandle };

/** The handle, or null before the daemon runs. */
export const findHandle = (): CairnHandle | null => slot[KEY] ?? null;

/** @throws Error before the daemon runs, which is a mistake in the order of the start */
export function getHandle(): CairnHandle {
  const handle = slot[KEY];
  if (!handle) throw new Error('The daemon does not run yet.');
  return handle;
}

export function setHandle(handle: CairnHandle | null): void {
  if (handle) slot[KEY] = handle;
  else delete slot[KEY];
}
