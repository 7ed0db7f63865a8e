/**
 * A socket below the data directory, which only root reaches: what the host itself asks of Cairn. `POST /stop-machines` is answered
 * with a line for each thing that happens; the last one is `done` or `failed`.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Config } from '../config';
import type { Logger } from '../log';
import type { HostStop } from '../vms/host-stop';

interface Parts {
  config: Pick<Config, 'localSocket'>;
  log: Logger;
  hostStop: HostStop;
}

/** Resolves when it listens, or cannot, which keeps nothing else from working. @returns what closes it */
export async function openLocalSocket({ config, log, hostStop }: Parts): Promise<() => void> {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url !== '/stop-machines') {
      response.writeHead(404).end('failed\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    const all = await hostStop.stopAll((line) => response.write(`${line}\n`));
    response.end(all ? 'done\n' : 'failed\n');
  }
  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ error }, 'the local socket could not answer');
      response.end('failed\n');
    });
  });
  // A guest may take minutes to shut down.
  server.requestTimeout = 0;
  // One that was killed has left it.
  rmSync(config.localSocket, { force: true });
  await new Promise<void>((resolve) => {
    server.on('error', (error) => {
      log.error({ error }, 'there is no local socket: machines are not stopped in their order with the host');
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
