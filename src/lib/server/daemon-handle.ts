/** What the daemon shows to the process around it: the handle, the folders it needs, and what it prints for people. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestGuard } from './auth/request-guard';
import type { Config } from './config';
import { findHandle, setHandle, type CairnHandle, type Readiness } from './handle';
import type { Host } from './host/types';
import type { Logger } from './log';
import { screenRequest } from './rest/screen';
import { createServiceNotify } from './service-notify';
import type { Services } from './services';
import { serveLocally } from './sockets/local';
import type { Sockets } from './sockets/upgrade';
import { createWebServer } from './sockets/web-server';
import type { Undoing } from './undoing';
import { VERSION } from './version';

export interface Parts {
  config: Config;
  log: Logger;
  undoing: Undoing;
  state: { ready: boolean; stopping: boolean };
}

interface Composed {
  services: Services;
  host: Pick<Host, 'commands'>;
  guard: RequestGuard;
  sockets: Sockets;
}

export function handleOf(composed: Composed, { log, undoing, state }: Parts): CairnHandle {
  const { services, host, guard, sockets } = composed;
  const { config, certificate } = services;
  const notify = createServiceNotify(config, host.commands, log);
  let stopped: Promise<void> | null = null;

  async function stop(reason: string): Promise<void> {
    state.stopping = true;
    log.info({ reason }, 'stopping');
    await notify.stopping();
    await undoing.run(log);
    if (findHandle() === handle) setHandle(null);
  }
  const handle: CairnHandle = {
    ...services,
    guard,
    sockets,
    serveLocally,
    screen: (request, response) => screenRequest(request, response, guard),
    readiness: (): Readiness => {
      const reasons = [
        ...(state.ready ? [] : ['What is on the drives is still being read.']),
        ...(state.stopping ? ['Cairn is stopping.'] : []),
      ];
      return { ready: reasons.length === 0, reasons };
    },
    webServer(pages) {
      const serve = (request: IncomingMessage, response: ServerResponse): void => {
        if (!handle.screen(request, response)) pages(request, response);
      };
      serveLocally((request, response) => {
        request.headers['x-cairn-protocol'] = 'http';
        serve(request, response);
      });
      return createWebServer({
        ...{ config, certificate, hostAllowed: guard.hostAllowed, serve },
        upgrade(request, socket, head) {
          if (!sockets.upgrade(request, socket, head)) socket.destroy();
        },
      });
    },
    listening([url = '', ...others]) {
      const also = others.length === 0 ? '' : `  (also ${others.join(', ')})`;
      process.stdout.write(`Cairn ${VERSION} is ready at ${url}${also}\n`);
      services.releases.ready();
      void notify.ready(`Ready at ${url}`);
    },
    stop: (reason) => (stopped ??= stop(reason)),
  };
  return handle;
}

/** What somebody needs who opens the first page: the code, and by what to know that it is this host that answers. */
export function printFirstRun({ auth, certificate }: Services): void {
  const served = certificate.view();
  if (served)
    process.stdout.write(`Certificate: SHA-256 ${served.fingerprint}  (the browser shows the same)\n`);
  const code = auth.renewSetupCode();
  if (code) process.stdout.write(`First-run code: ${code}  (asked for when the first account is made)\n`);
}
