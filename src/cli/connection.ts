/** How the command reaches Cairn: the socket of this host, or an address and an API key. Both speak the same REST. */
import { createWriteStream } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { CliError, EXIT, type ExitCode } from './exit-codes';

export type Target =
  | { socketPath: string }
  | {
      url: URL;
      key: string;
      /** Certificates to trust, PEM; null: those of the system. */
      ca: string | null;
    };

export interface Connection {
  /** Over the socket of this host, as root. */
  isLocal: boolean;
  get<T>(path: string): Promise<T>;
  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T>;
  text(path: string): Promise<string>;
  /** A JSON object a line, as they come. */
  lines<T>(path: string): AsyncGenerator<T, void>;
  /** Writes the answer to a file that is not there yet, which only its owner may read. */
  save(path: string, file: string): Promise<void>;
}

/** Any answer comes sooner; those that take long come in lines. */
const SILENCE_MS = 120_000;

const exitOf = (status: number): ExitCode => {
  if (status === 404) return EXIT.notFound;
  if (status === 503) return EXIT.unreachable;
  return status >= 500 ? EXIT.failed : EXIT.refused;
};

interface Refusal {
  error?: { code?: string; message?: string; remedy?: string | null; details?: Record<string, unknown> };
}
/** What Cairn said instead of doing it. */
function refusalOf(status: number, text: string): CliError {
  let body: Refusal;
  try {
    body = JSON.parse(text) as Refusal;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return new CliError(EXIT.unreachable, `What answers there is not Cairn (status ${status}).`);
  }
  const { code, message, remedy, details } = body.error ?? {};
  return new CliError(exitOf(status), message ?? `Cairn answered with status ${status}.`, {
    ...(code ? { code } : {}),
    remedy: remedy ?? null,
    details: details ?? {},
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Ends without what was only half said when the line is cut: who asked sees that no more came. */
async function* textLines(answer: IncomingMessage): AsyncGenerator<string, void> {
  let rest = '';
  answer.setEncoding('utf8');
  try {
    for await (const chunk of answer) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    return;
  }
  if (rest) yield rest;
}

function unreachable(target: Target, error: NodeJS.ErrnoException): CliError {
  if (!('socketPath' in target))
    return new CliError(
      EXIT.unreachable,
      `Cairn does not answer at ${target.url.origin}: ${error.message}.`,
      {
        remedy: /CERT|SELF_SIGNED|ISSUER/.test(error.code ?? '')
          ? 'Give the certificate to trust with --ca.'
          : 'Look whether it runs, and whether the address is right.',
      },
    );
  if (error.code === 'EACCES')
    return new CliError(EXIT.unreachable, `Only root may use ${target.socketPath}.`, {
      remedy: 'Run it as root, or give --url and an API key.',
    });
  return new CliError(EXIT.unreachable, `Cairn does not run here: nothing answers on ${target.socketPath}.`, {
    remedy: 'Start it (systemctl start cairn), or give --data-dir or --url.',
  });
}

export function connect(target: Target): Connection {
  /** The answer once its head is there. @throws CliError */
  function open(
    method: string,
    path: string,
    body?: object,
    silenceMs = SILENCE_MS,
  ): Promise<IncomingMessage> {
    const sent = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const headers = {
      ...('url' in target ? { 'x-api-key': target.key } : {}),
      ...(sent ? { 'content-type': 'application/json', 'content-length': sent.length } : {}),
    };
    return new Promise((resolve, reject) => {
      const options = { method, headers, agent: false as const };
      const asked =
        'socketPath' in target
          ? httpRequest({ ...options, socketPath: target.socketPath, path: `/api/v1${path}` })
          : (target.url.protocol === 'https:' ? httpsRequest : httpRequest)(
              new URL(`/api/v1${path}`, target.url),
              { ...options, ...(target.ca ? { ca: target.ca } : {}) },
            );
      asked.setTimeout(silenceMs, () => asked.destroy(new Error('it said nothing for too long')));
      asked.on('error', (error) => reject(unreachable(target, error)));
      asked.on('response', (answer) => {
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 300) return resolve(answer);
        textOf(answer).then((text) => reject(refusalOf(status, text)), reject);
      });
      asked.end(sent ?? undefined);
    });
  }
  async function json<T>(method: string, path: string, body?: object): Promise<T> {
    return JSON.parse(await textOf(await open(method, path, body))) as T;
  }
  return {
    isLocal: 'socketPath' in target,
    get: (path) => json('GET', path),
    send: json,
    text: async (path) => textOf(await open('GET', path)),
    async *lines<T>(path: string) {
      // Nothing may happen for a long time, in a rebuild for example.
      for await (const line of textLines(await open('GET', path, undefined, 0)))
        if (line) yield JSON.parse(line) as T;
    },
    async save(path, file) {
      await pipeline(await open('GET', path), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    },
  };
}
