/** Small files of a channel, whole: by HTTPS, or from a folder, as on a medium that was carried here. */
import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { AppError, toAppError } from '../errors';
import { readUrl } from '../host/open-url';

/** Notes are the most of it. */
const MOST_BYTES = 65_536;
const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/.test(host);

/** @throws AppError update_channel_invalid for what is neither */
export function requireChannel(channel: string): { folder: string } | { url: URL } {
  if (isAbsolute(channel)) return { folder: channel };
  const url = URL.parse(channel.endsWith('/') ? channel : `${channel}/`);
  // Plain HTTP only to a server on this very host.
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (!url || !isSafe || url.username || url.password || url.search || url.hash)
    throw new AppError('update_channel_invalid');
  return { url };
}

async function readSmall(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > MOST_BYTES)
      throw new AppError('update_channel_unreadable', `${path} is no file of at most ${MOST_BYTES} bytes.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** @throws AppError update_channel_invalid | update_channel_unreadable */
export async function readFromChannel(channel: string, name: string): Promise<Buffer> {
  const place = requireChannel(channel);
  try {
    if ('folder' in place) return await readSmall(join(place.folder, name));
    const { href } = new URL(name, place.url);
    // The address is the administrator's own, out of a file of root.
    return Buffer.from(await readUrl(href, { allowPrivate: true }, MOST_BYTES), 'utf8');
  } catch (error) {
    if (error instanceof AppError && error.code === 'update_channel_unreadable') throw error;
    const said =
      error instanceof AppError || error instanceof Error ? error.message : toAppError(error).message;
    throw new AppError('update_channel_unreadable', `${name} of ${channel} could not be read: ${said}`, {
      cause: error,
    });
  }
}
