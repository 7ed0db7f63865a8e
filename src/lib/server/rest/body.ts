import { AppError } from '../errors';

const MAX_BODY_BYTES = 256 * 1024;

/** A body that is refused is still taken off the line up to here; what is larger costs its sender the connection. */
const MAX_DISCARDED_BYTES = 8 * 1024 ** 2;

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function discard(reader: Reader): Promise<void> {
  for (let left = MAX_DISCARDED_BYTES; left > 0;) {
    const { done, value } = await reader.read();
    if (done) return;
    left -= value.byteLength;
  }
  await reader.cancel();
}

/** Takes a body that nobody read off the line: its sender would otherwise meet a closed connection before the answer. */
export async function discardBody(request: Request): Promise<void> {
  if (request.body && !request.bodyUsed) await discard(request.body.getReader());
}

/**
 * The whole body, and never more of it than the limit in memory.
 * @throws AppError body_too_large
 */
export async function readBody(request: Request, most = MAX_BODY_BYTES): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = Number(request.headers.get('content-length') ?? 0) > most ? Infinity : 0;
  const reader = request.body?.getReader();
  while (reader && length <= most) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(Buffer.concat(chunks, length));
    length += value.byteLength;
    chunks.push(value);
  }
  if (!reader) return new Uint8Array();
  await discard(reader);
  throw new AppError('body_too_large', `The body is larger than ${most / 1024} KiB.`);
}

/**
 * The body as a JSON value. No body at all is an empty object.
 * @throws AppError body_too_large | unsupported_media_type | malformed_json
 */
export function readJson(request: Request): Promise<unknown> {
  const known = read.get(request);
  if (known) return known;
  const reading = parseJson(request);
  read.set(request, reading);
  return reading;
}
/** A body can be taken once; the audit log and the address both want it. */
const read = new WeakMap<Request, Promise<unknown>>();

async function parseJson(request: Request): Promise<unknown> {
  const body = await readBody(request);
  if (body.byteLength === 0) return {};
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json')
    throw new AppError(
      'unsupported_media_type',
      type ? `The body is ${type}, not application/json.` : 'The body has no Content-Type.',
    );
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (error) {
    throw new AppError('malformed_json', 'The body is not valid JSON in UTF-8.', { cause: error });
  }
}
