/** One message to a web address. Nothing is followed: a token must not travel to where a redirect leads. */
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { AppError } from '../errors';
import { outsideProblem } from './outside-words';
import { isToldAddress, refuseAddress, toldLookup } from './told-address';

const MOST_ANSWER_BYTES = 64 * 1024;

export interface Posted {
  method: 'POST' | 'PUT';
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
  /** From the first byte to the last of the answer. */
  timeoutMs: number;
  /** Authorities that are trusted, PEM. */
  authorities: string[];
}
export interface PostAnswer {
  status: number;
  /** At most 64 KiB of it. */
  text: string;
  retryAfterSeconds: number | null;
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES) break;
  }
  response.destroy();
  return Buffer.concat(chunks).subarray(0, MOST_ANSWER_BYTES).toString('utf8');
}

function once(url: URL, posted: Posted, signal: AbortSignal): Promise<IncomingMessage> {
  const body = Buffer.from(posted.body);
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestTls : requestPlain)(url, {
      method: posted.method,
      headers: { 'user-agent': 'Cairn', ...posted.headers, 'content-length': body.length },
      ...{ agent: false, lookup: toldLookup, signal },
      ...(url.protocol === 'https:' ? { ca: posted.authorities } : {}),
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

/** Where a redirect leads, without what follows the host: that may be secret. */
const hostOf = (location: string, base: URL): string =>
  URL.parse(location, base.href)?.origin ?? 'an address that is none';

/**
 * @throws AppError address_refused, or channel_unreachable with what to do; never with a part of the address beyond its host
 */
export async function postUrl(url: URL, posted: Posted): Promise<PostAnswer> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuseAddress(url.protocol, url.protocol);
  if (isIP(host) && !isToldAddress(host)) throw refuseAddress(host, host);
  const late = AbortSignal.timeout(posted.timeoutMs);
  try {
    const response = await once(url, posted, AbortSignal.any([posted.signal, late]));
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      response.destroy();
      throw new AppError('channel_unreachable', `${host} leads on to ${hostOf(location, url)}.`, {
        remedy: 'Give the address it leads to. Messages follow no redirect, because they may carry a token.',
      });
    }
    const retryAfter = Number(response.headers['retry-after']);
    return {
      status,
      text: await readAnswer(response),
      retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
    };
  } catch (error) {
    if (error instanceof AppError || posted.signal.aborted) throw error;
    const problem = outsideProblem(late.aborted ? late.reason : error, host, port);
    throw new AppError(
      'channel_unreachable',
      problem?.message ?? `The connection to ${host}, port ${port} failed.`,
      {
        ...(problem ? { remedy: problem.remedy } : {}),
        cause: error,
      },
    );
  }
}
