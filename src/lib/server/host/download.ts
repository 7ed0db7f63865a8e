/**
 * Downloads of large files. Bytes go to `<path>.part`; a note beside it says which file of the server they belong to and
 * how many of them are safely on disk, so that a power cut, a crash or a server that goes away costs at most a few
 * seconds of work: `Range` with `If-Range` asks for the rest (RFC 9110, sections 13.1.5 and 14). Only what is complete,
 * has the right checksum and is on disk gets its name.
 */
import { open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Checksum, DownloadAction } from '$lib/plugin-api/plan';
import { AppError, toAppError } from '../errors';
import { openUrl, type UrlAnswer } from './open-url';
import { fileDigest } from './file-digest';
import { syncDirectory, unlessMissing, writeFile } from './write-file';

const SYNC_BYTES = 32 * 1024 ** 2;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const RATE_WINDOW_MS = 2_000;

export const partOf = (path: string): string => `${path}.part`;
export const noteOf = (path: string): string => `${path}.part.json`;

const note = z.object({ url: z.string(), validator: z.string().nullable(), syncedBytes: z.number() });
type Note = z.infer<typeof note>;

export interface DownloadProgress {
  receivedBytes: number;
  sizeBytes: number | null;
  bytesPerSecond: number | null;
  /** Why nothing comes at the moment. */
  waiting: string | null;
  verifying: boolean;
}
const underWay = new Map<string, DownloadProgress>();
/** What arrives at this path is shown by looks; null: no more. */
export function showProgress(path: string, progress: DownloadProgress | null): void {
  if (progress) underWay.set(path, progress);
  else underWay.delete(path);
}
/** How far a download is that this process works on; null: it works on none to this path. */
export const downloadProgress = (path: string): DownloadProgress | null => underWay.get(path) ?? null;

async function readNote(path: string): Promise<Note | null> {
  const text = await readFile(noteOf(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });
  if (text === null) return null;
  try {
    return note.parse(JSON.parse(text));
  } catch {
    return null; // cut short: what it belongs to is not known, so it begins anew
  }
}

/** A file as one server has it: a strong ETag, or else the time of its last change. */
function validatorOf({ response }: UrlAnswer): string | null {
  const { etag } = response.headers;
  if (etag !== undefined && !etag.startsWith('W/')) return etag;
  return response.headers['last-modified'] ?? null;
}

/** The size of the whole file as this answer tells it; null: it does not. */
function totalOf({ status, response }: UrlAnswer): number | null {
  const range = /\/(\d+)$/.exec(response.headers['content-range'] ?? '')?.[1];
  if (status === 206) return range === undefined ? null : Number(range);
  const length = response.headers['content-length'];
  return length === undefined || response.headers['content-encoding'] ? null : Number(length);
}

const failed = (message: string, remedy?: string): AppError =>
  new AppError('download_failed', message, remedy === undefined ? {} : { remedy });

/** What no further attempt can mend. */
function refuseAnswer(action: DownloadAction, answer: UrlAnswer): void {
  const { status } = answer;
  if (status >= 400 && status < 500 && status !== 408 && status !== 416 && status !== 429)
    throw failed(`${answer.url.host} answered ${status} for ${answer.url.pathname}.`);
  if (status !== 200 && status !== 206) return;
  const total = totalOf(answer);
  if (total !== null && action.sizeBytes !== null && total !== action.sizeBytes)
    throw failed(
      `${answer.url.host} has another file there now: ${total} bytes instead of ${action.sizeBytes}.`,
      'Begin the download again.',
    );
  if (total !== null && total > action.maxBytes)
    throw failed(`The file has ${total} bytes; at most ${action.maxBytes} are taken.`);
}

const FATAL: readonly string[] = ['download_failed', 'address_not_public', 'url_invalid', 'cancelled'];
const isFatal = (error: unknown): boolean =>
  (error instanceof AppError && FATAL.includes(error.code)) ||
  // The disk, not the network.
  (error instanceof Error &&
    'code' in error &&
    ['ENOSPC', 'EIO', 'EROFS', 'ENOENT', 'EDQUOT'].includes(String(error.code)));

function createMeter(progress: DownloadProgress) {
  let since = performance.now();
  let bytes = 0;
  return (count: number): void => {
    progress.receivedBytes += count;
    progress.waiting = null;
    bytes += count;
    const ms = performance.now() - since;
    if (ms < RATE_WINDOW_MS) return;
    progress.bytesPerSecond = Math.round((bytes * 1_000) / ms);
    since = performance.now();
    bytes = 0;
  };
}

/** Writes one answer's body from `from` on. @returns the size of the part file then */
async function take(
  action: DownloadAction,
  answer: UrlAnswer,
  file: FileHandle,
  from: number,
  metered: (count: number) => void,
): Promise<number> {
  const state: Note = { url: action.url, validator: validatorOf(answer), syncedBytes: from };
  await file.truncate(from);
  await writeFile(noteOf(action.path), JSON.stringify(state), 0o600);
  let at = from;
  const sync = async (): Promise<void> => {
    await file.datasync();
    state.syncedBytes = at;
    await writeFile(noteOf(action.path), JSON.stringify(state), 0o600);
  };
  try {
    for await (const chunk of answer.response) {
      if (!Buffer.isBuffer(chunk)) continue;
      if (at + chunk.length > (action.sizeBytes ?? action.maxBytes))
        throw failed(`${answer.url.host} sends more than it announced.`);
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      metered(chunk.length);
      if (at - state.syncedBytes >= SYNC_BYTES) await sync();
    }
  } finally {
    answer.response.destroy();
    await sync();
  }
  return at;
}

/** One request. @returns whether the file is complete now */
async function attempt(
  action: DownloadAction,
  file: FileHandle,
  progress: DownloadProgress,
  signal: AbortSignal,
) {
  const known = await readNote(action.path);
  const { size } = await file.stat();
  const have = known?.url === action.url && known.validator !== null ? Math.min(known.syncedBytes, size) : 0;
  if (action.sizeBytes !== null && have === action.sizeBytes) return true;
  const range = have > 0 ? { range: `bytes=${have}-`, 'if-range': known?.validator ?? '' } : {};
  const answer = await openUrl(action.url, {
    headers: { 'accept-encoding': 'identity', ...range },
    allowPrivate: action.allowPrivate,
    verified: action.checksum !== null,
    signal,
  });
  try {
    refuseAnswer(action, answer);
    const begins = /^bytes (\d+)-/.exec(answer.response.headers['content-range'] ?? '')?.[1];
    const from = answer.status === 206 ? Number(begins) : 0;
    if (answer.status !== 200 && answer.status !== 206)
      throw new Error(`${answer.url.host} answered ${answer.status}`);
    if (answer.status === 206 && from !== have)
      throw new Error(`${answer.url.host} sent another piece than asked for`);
    const total = totalOf(answer) ?? action.sizeBytes;
    progress.sizeBytes = total;
    progress.receivedBytes = from;
    const size = await take(action, answer, file, from, createMeter(progress));
    return total === null ? answer.response.complete : size === total;
  } finally {
    answer.response.destroy();
  }
}

async function receive(
  action: DownloadAction,
  progress: DownloadProgress,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(partOf(action.path), 'a+', 0o600).then(async (appended) => {
    await appended.close();
    return open(partOf(action.path), 'r+');
  });
  let pauseMs = FIRST_PAUSE_MS;
  let lastBytes = 0;
  let patienceEnds = Date.now() + action.patienceMs;
  try {
    for (;;) {
      try {
        if (await attempt(action, file, progress, signal)) break;
        throw new Error('the connection ended too early');
      } catch (error) {
        signal.throwIfAborted();
        if (isFatal(error)) throw error;
        const moved = progress.receivedBytes > lastBytes;
        lastBytes = progress.receivedBytes;
        if (moved) [pauseMs, patienceEnds] = [FIRST_PAUSE_MS, Date.now() + action.patienceMs];
        const why = toAppError(error).message;
        if (Date.now() + pauseMs > patienceEnds)
          throw failed(
            `Nothing came any more: ${why}.`,
            'Look whether the address can be reached, then retry.',
          );
        progress.waiting = why;
        progress.bytesPerSecond = null;
        await sleep(pauseMs, undefined, { signal });
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
    }
    await file.chmod(action.mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What has come as a whole, and what it is called when it is damaged. */
interface Whole {
  path: string;
  checksum: Checksum | null;
  damaged: 'download_failed' | 'upload_failed';
}

async function verify({ path, checksum, damaged }: Whole, signal: AbortSignal): Promise<void> {
  if (!checksum) return;
  const digest = await fileDigest(partOf(path), checksum.algorithm, signal);
  if (digest === checksum.hex) return;
  // What is wrong cannot be gone on with.
  await removeDownload(path);
  throw new AppError(
    damaged,
    `The ${checksum.algorithm} checksum is ${digest}, not ${checksum.hex}: the file was damaged or changed.`,
    { remedy: 'Begin again; if it happens again, do not use this source.' },
  );
}

/** Compares the checksum, and gives the part file its name. @throws AppError foreign_state | the one of a damaged file */
export async function nameWhole(whole: Whole, signal: AbortSignal): Promise<void> {
  await verify(whole, signal);
  if (await stat(whole.path).catch(unlessMissing))
    throw new AppError('foreign_state', `${whole.path} is there now; it was left as it is.`);
  await rename(partOf(whole.path), whole.path);
  await rm(noteOf(whole.path), { force: true });
  await syncDirectory(dirname(whole.path));
}

/** Both files of a download that is not complete. */
const removeDownload = async (path: string): Promise<void> => {
  await rm(partOf(path), { force: true });
  await rm(noteOf(path), { force: true });
};

/** Goes on from what is there. @throws AppError download_failed | address_not_public | url_invalid; Error of the file system */
export async function download(action: DownloadAction, signal: AbortSignal): Promise<void> {
  const progress: DownloadProgress = {
    receivedBytes: 0,
    sizeBytes: action.sizeBytes,
    bytesPerSecond: null,
    waiting: null,
    verifying: false,
  };
  showProgress(action.path, progress);
  try {
    await receive(action, progress, signal);
    progress.verifying = true;
    await nameWhole({ ...action, damaged: 'download_failed' }, signal);
  } finally {
    showProgress(action.path, null);
  }
}

/** Takes back a download: what came, and the whole file. */
export async function undoDownload(path: string): Promise<void> {
  await rm(path, { force: true });
  await removeDownload(path);
  await syncDirectory(dirname(path));
}
