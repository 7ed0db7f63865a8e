/**
 * The server that browsers and programs connect to. With a certificate it speaks TLS, and answers who speaks plain HTTP to the same
 * port with the address that was meant: the first byte tells the two apart, since no HTTP method begins as a TLS record does.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Certificate } from '../certificates/certificate';
import { namesToReach } from '../certificates/host-names';
import type { Config } from '../config';
import type { Pair } from '../certificates/pair';

/** RFC 8446, 5.1: content type of a handshake. */
const TLS_HANDSHAKE = 0x16;
/** Nobody who connects for a reason is silent for so long. */
const FIRST_BYTE_MS = 10_000;
const EVERYWHERE = new Set(['::', '0.0.0.0']);

interface Parts {
  config: Pick<Config, 'host' | 'port' | 'tls' | 'hostname'>;
  certificate: Pick<Certificate, 'pair' | 'onUse'>;
  hostAllowed(header: string | null): boolean;
  serve(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
}
export interface WebServer {
  /** @returns addresses at which it answers, the best for people first. @throws Error of listen(2) */
  listen(): Promise<string[]>;
  close(): void;
}

/** Reading is sent on; what else was asked may have been a secret in the clear, and is not invited to be sent again. */
function answerPlain(
  request: IncomingMessage,
  response: ServerResponse,
  hostAllowed: Parts['hostAllowed'],
): void {
  const host = request.headers.host ?? null;
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const path = /^\/(?!\/)/.test(request.url ?? '') ? (request.url ?? '/') : '/';
  const headers = {
    connection: 'close',
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
  };
  if (host !== null && reads && hostAllowed(host))
    response.writeHead(307, { ...headers, location: `https://${host}${path}` });
  else response.writeHead(400, headers);
  response.end('This port speaks HTTPS. Use an address that begins with https://\n');
}

const secureOptions = ({ key, chain }: Pair) => ({ key, cert: chain, minVersion: 'TLSv1.2' as const });

export function createWebServer({ config, certificate, hostAllowed, serve, upgrade }: Parts): WebServer {
  const connections = new Set<Socket>();
  const web = config.tls
    ? createHttpsServer({ ...secureOptions(certificate.pair()), honorCipherOrder: true })
    : createHttpServer();
  web.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // Set from the connection, never taken from a client.
    request.headers['x-cairn-protocol'] = config.tls ? 'https' : 'http';
    serve(request, response);
  });
  web.on('upgrade', upgrade);
  const front: Server = 'setSecureContext' in web ? createFront() : web;

  function createFront(): Server {
    certificate.onUse((pair) => {
      if ('setSecureContext' in web) web.setSecureContext(secureOptions(pair));
    });
    const plain = createHttpServer((request, response) => answerPlain(request, response, hostAllowed));
    return createTcpServer((socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.setTimeout(FIRST_BYTE_MS, () => socket.destroy());
      socket.once('readable', () => {
        const first: unknown = socket.read(1);
        if (!(first instanceof Buffer)) return void socket.destroy();
        socket.setTimeout(0);
        socket.removeAllListeners('timeout');
        socket.unshift(first);
        (first[0] === TLS_HANDSHAKE ? web : plain).emit('connection', socket);
      });
    });
  }

  const listenAt = (host: string): Promise<void> =>
    new Promise((resolve, reject) => {
      front.once('error', reject);
      front.listen(config.port, host, () => {
        front.off('error', reject);
        resolve();
      });
    });

  return {
    async listen() {
      let { host } = config;
      await listenAt(host).catch((error: NodeJS.ErrnoException) => {
        // A host without IPv6 has no "::"; every address that it has is meant all the same.
        if (host !== '::' || (error.code !== 'EAFNOSUPPORT' && error.code !== 'EADDRNOTAVAIL')) throw error;
        return listenAt((host = '0.0.0.0'));
      });
      const address = front.address();
      const port = typeof address === 'object' && address ? address.port : config.port;
      const hosts = EVERYWHERE.has(host) ? namesToReach(config.hostname, networkInterfaces()) : [host];
      return hosts.map(
        (one) => `${config.tls ? 'https' : 'http'}://${one.includes(':') ? `[${one}]` : one}:${port}`,
      );
    },
    close() {
      front.close();
      web.closeAllConnections();
      for (const socket of connections) socket.destroy();
    },
  };
}
