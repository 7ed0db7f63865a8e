/** One request to the outside, redirects followed, no body kept. The only place from which Cairn asks other machines. */
import { request as requestPlain, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { AppError } from '../errors';
import { isPublicAddress, publicLookup, refusedAddress } from './public-address';

const MOST_REDIRECTS = 5;
/** Neither a connection nor a byte for so long: given up. */
const SILENCE_MS = 30_000;

export interface UrlRequest {
  method?: 'GET' | 'HEAD';
  headers?: OutgoingHttpHeaders;
  /** Also addresses of this host and of private networks. */
  allowPrivate: boolean;
  /** What comes is compared with a checksum: then mirrors without encryption will do. */
  verified?: boolean;
  signal?: AbortSignal | undefined;
}
export interface UrlAnswer {
  /** Where the last redirect led. */
  url: URL;
  status: number;
  /** The caller reads it to its end or destroys it. */
  response: IncomingMessage;
}

/** @throws AppError url_invalid for what is not http(s) or carries a password */
export function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new AppError('url_invalid', `"${text.slice(0, 200)}" is no http or https address.`);
  if (url.username || url.password)
    throw new AppError('url_invalid', 'The address carries a name or a password.', {
      remedy: 'Give an address that needs no password: it would be kept in the history.',
    });
  return url;
}

function once(url: URL, asked: UrlRequest): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!asked.allowPrivate && isIP(host) && !isPublicAddress(host)) throw refusedAddress(host, host);
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestTls : requestPlain)(url, {
      method: asked.method ?? 'GET',
      headers: { 'user-agent': 'Cairn', ...asked.headers },
      agent: false,
      timeout: SILENCE_MS,
      ...(asked.allowPrivate ? {} : { lookup: publicLookup }),
      ...(asked.signal ? { signal: asked.signal } : {}),
    });
    request.on('timeout', () =>
      request.destroy(new Error(`${url.host} was silent for ${SILENCE_MS / 1_000} seconds`)),
    );
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  });
}

/** @throws AppError url_invalid | address_not_public; Error of the network or of the abort */
export async function openUrl(text: string, asked: UrlRequest): Promise<UrlAnswer> {
  let url = parseUrl(text);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const response = await once(url, asked);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status < 300 || status > 399 || location === undefined) return { url, status, response };
    response.destroy();
    const next = parseUrl(location, url);
    if (url.protocol === 'https:' && next.protocol === 'http:' && !asked.verified)
      throw new AppError('url_invalid', `${url.host} leads on to an address that is not encrypted.`);
    url = next;
  }
  throw new AppError('url_invalid', `${text} leads on and on (${MOST_REDIRECTS} redirects).`);
}

/** Something small, whole. @throws AppError download_failed for who cannot be reached, a status other than 200 or what is longer */
export async function readUrlBytes(text: string, asked: UrlRequest, mostBytes: number): Promise<Buffer> {
  const { status, response, url } = await openUrl(text, asked).catch((error: unknown) => {
    if (error instanceof AppError || asked.signal?.aborted) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new AppError('download_failed', `${text} could not be reached: ${said}.`, { cause: error });
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    if (status !== 200)
      throw new AppError('download_failed', `${url.href} answered ${status}.`, { details: { status } });
    for await (const chunk of response) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      if (bytes > mostBytes)
        throw new AppError('download_failed', `${url.href} is longer than ${mostBytes} bytes.`);
      chunks.push(chunk);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(chunks);
}

/** A small text, whole. @throws AppError download_failed */
export const readUrl = async (text: string, asked: UrlRequest, mostBytes: number): Promise<string> =>
  (await readUrlBytes(text, asked, mostBytes)).toString('utf8');
