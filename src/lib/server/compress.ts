/** Pages carry a snapshot of everything, which packs well. Sources: RFC 9110, 8.4 and 12.5.3. */
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

const pack = promisify(gzip);
/** Smaller answers fit into one packet anyway. */
const WORTH_BYTES = 1_400;
const TYPES = /^(?:text\/html|application\/json)\b/;

/** `gzip`, `x-gzip` or `*`, unless its weight is 0. */
function takesGzip(accepted: string | null): boolean {
  return (accepted ?? '').split(',').some((entry) => {
    const [coding = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    return !refused && (coding === 'gzip' || coding === 'x-gzip' || coding === '*');
  });
}

/**
 * The answer packed with gzip, when the client takes that and it is worth it. What comes in pieces, of a length that is
 * not known, goes as it is: packing would hold the pieces back.
 */
export async function compressed(response: Response, accepted: string | null): Promise<Response> {
  const { headers, status, statusText } = response;
  const worth = Number(headers.get('content-length') ?? 0) >= WORTH_BYTES;
  if (!worth || !TYPES.test(headers.get('content-type') ?? '') || headers.has('content-encoding'))
    return response;
  headers.append('vary', 'accept-encoding');
  if (response.body === null || !takesGzip(accepted)) return response;
  const body = await pack(await response.arrayBuffer(), { level: constants.Z_BEST_SPEED + 3 });
  headers.set('content-encoding', 'gzip');
  headers.set('content-length', String(body.length));
  const tag = headers.get('etag');
  // The same content in other bytes: a strong tag would promise the bytes.
  if (tag && !tag.startsWith('W/')) headers.set('etag', `W/${tag}`);
  return new Response(body, { status, statusText, headers });
}
