/** The file of an image, as it is: whole, or the one range that is asked for (RFC 9110, 14). */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '../errors';
import { answer } from './answer';

/** Bytes from and to, both included; null: the whole file. What is no range of one piece is not understood, and answered whole. */
export function rangeOf(
  header: string | null,
  sizeBytes: number,
): { from: number; to: number } | null | 'outside' {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  const from = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const to = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return from > to ? 'outside' : { from, to };
}

export const getImageFile = answer('operator', async ({ services, param, event }) => {
  const { name, path, badge } = services.images.get(param('id'));
  if (path === null || badge !== 'ready')
    throw new AppError('image_wrong_state', `"${name}" is not there to be sent.`);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const found = await file.stat();
  if (!found.isFile()) {
    await file.close();
    throw new AppError('image_wrong_state', `"${name}" is no plain file.`);
  }
  const headers = {
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(posix.basename(path))}`,
  };
  const range = rangeOf(event.request.headers.get('range'), found.size);
  if (range === 'outside' || event.request.method === 'HEAD') {
    await file.close();
    return range === 'outside'
      ? new Response(null, { status: 416, headers: { ...headers, 'content-range': `bytes */${found.size}` } })
      : new Response(null, { headers: { ...headers, 'content-length': String(found.size) } });
  }
  const { from, to } = range ?? { from: 0, to: found.size - 1 };
  if (to < from) {
    await file.close();
    return new Response(null, { headers: { ...headers, 'content-length': '0' } });
  }
  const stream = file.createReadStream({ start: from, end: to, highWaterMark: 256 * 1024 });
  return new Response(Readable.toWeb(stream) as ReadableStream, {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      'content-length': String(to - from + 1),
      ...(range ? { 'content-range': `bytes ${from}-${to}/${found.size}` } : {}),
    },
  });
});
