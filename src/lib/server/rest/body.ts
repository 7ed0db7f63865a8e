import { AppError } from '../errors';

export const MAX_BODY_BYTES = 256 * 1024;

const tooLarge = (): AppError =>
  new AppError('body_too_large', `The body is larger than ${MAX_BODY_BYTES / 1024} KiB.`);

/**
 * The whole body, never more than the limit: a body that says it is larger is not read at all, one that does not say is
 * read until it is.
 * @throws AppError body_too_large
 */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    const chunk = part.value as Uint8Array;
    length += chunk.byteLength;
    if (length > MAX_BODY_BYTES) {
      await reader?.cancel();
      throw tooLarge();
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks, length));
}

/**
 * The body as a JSON value. No body at all is an empty object.
 * @throws AppError body_too_large | unsupported_media_type | malformed_json
 */
export async function readJson(request: Request): Promise<unknown> {
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
