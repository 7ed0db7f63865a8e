/** A web server for downloads that does as told: honest, with ranges, or one of the ways in which servers misbehave. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface ServedFile {
  content: Buffer;
  /** Answers a range with 206; without, always the whole file. Default true. */
  ranges?: boolean;
  /** The connection breaks after so many bytes of each answer. */
  breakAfterBytes?: number;
  /** Claims this length instead of the true one. */
  claimedBytes?: number;
  /** No length at all (chunked). */
  unknownLength?: boolean;
  /** Milliseconds between pieces of 64 KiB. */
  slowMs?: number;
  etag?: string;
  redirect?: string;
  refuseHead?: boolean;
}
export interface FileServer {
  url: string;
  /** By path, with the leading slash. */
  files: Map<string, ServedFile>;
  /** `GET /x bytes=5-` in the order of asking. */
  asked: string[];
  close(): Promise<void>;
}

export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

async function send(file: ServedFile, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (file.redirect !== undefined) {
    response.writeHead(302, { location: file.redirect }).end();
    return;
  }
  if (file.refuseHead && request.method === 'HEAD') {
    response.writeHead(405).end();
    return;
  }
  const etag = file.etag ?? `"${sha256(file.content).slice(0, 16)}"`;
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const fits = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  const from = range !== undefined && fits && file.ranges !== false ? Number(range) : 0;
  const partial = from > 0;
  const body = file.content.subarray(from);
  const length = file.claimedBytes ?? body.length;
  response.writeHead(partial ? 206 : 200, {
    etag,
    ...(file.unknownLength ? {} : { 'content-length': String(length) }),
    ...(partial
      ? { 'content-range': `bytes ${from}-${file.content.length - 1}/${file.content.length}` }
      : { 'accept-ranges': 'bytes' }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const end = Math.min(body.length, file.breakAfterBytes ?? body.length);
  for (let at = 0; at < end; at += 65_536) {
    if (response.destroyed) return;
    const piece = body.subarray(at, Math.min(end, at + 65_536));
    await new Promise((resolve) => response.write(piece, resolve));
    if (file.slowMs) await new Promise((resolve) => setTimeout(resolve, file.slowMs));
  }
  if (end < body.length || length !== body.length) response.destroy();
  else response.end();
}

export async function startFileServer(): Promise<FileServer> {
  const files = new Map<string, ServedFile>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    asked.push([request.method, path, request.headers.range].filter(Boolean).join(' '));
    const file = files.get(path);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    send(file, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    files,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
