/**
 * A socket below the data directory, which only root reaches: what the host itself asks of Cairn.
 * `POST /stop-machines` is answered with a line for each thing that happens; the last one is `done` or `failed`. Everything else
 * is answered as it is over the network, and whoever asks is root: no account, no key.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Actor } from '$lib/shared/wire/session';
import { sameHash, sha256 } from '../auth/secrets';
import type { Config } from '../config';
import type { Logger } from '../log';
import type { HostStop } from '../vms/host-stop';

/** Put on a request by this file alone; its value is known to this process only. */
const PASS_HEADER = 'x-cairn-local';
const pass = randomBytes(32).toString('base64url');

const ROOT: Actor = { kind: 'local', id: 'root', name: 'root@host', role: 'admin', sessionId: null };

/** Root, for a request that came over the socket; null for any other, whatever its headers say. */
export const localActor = (header: (name: string) => string | null): Actor | null =>
  sameHash(sha256(header(PASS_HEADER) ?? ''), sha256(pass)) ? ROOT : null;

let application: RequestListener | null = null;
/** What answers requests over the network is to answer those over the socket too. Told by the process entry, which has it. */
export const serveLocally = (listener: RequestListener): void => {
  application = listener;
};

interface Parts {
  config: Pick<Config, 'localSocket'>;
  log: Logger;
  hostStop: HostStop;
}

/** Resolves when it listens, or cannot, which keeps nothing else from working. @returns what closes it */
export async function openLocalSocket({ config, log, hostStop }: Parts): Promise<() => void> {
  async function stopMachines(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    const all = await hostStop.stopAll((line) => response.write(`${line}\n`));
    response.end(all ? 'done\n' : 'failed\n');
  }
  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'POST' && request.url === '/stop-machines')
      return void stopMachines(response).catch((error: unknown) => {
        log.error({ error }, 'the local socket could not answer');
        response.end('failed\n');
      });
    if (!application) return void response.writeHead(503).end('failed\n');
    request.headers[PASS_HEADER] = pass;
    // Of a name that is surely ours: over a socket nobody can be led here by another one.
    request.headers.host = 'localhost';
    application(request, response);
  }
  const server: Server = createServer(answer);
  // A guest may take minutes to shut down.
  server.requestTimeout = 0;
  // One that was killed has left it.
  rmSync(config.localSocket, { force: true });
  await new Promise<void>((resolve) => {
    server.on('error', (error) => {
      log.error(
        { error },
        'there is no local socket: machines are not stopped in their order with the host, and the command cairn needs a key',
      );
      resolve();
    });
    server.listen(config.localSocket, () => {
      chmodSync(config.localSocket, 0o600);
      resolve();
    });
  });
  return () => {
    server.close();
    server.closeAllConnections();
  };
}
