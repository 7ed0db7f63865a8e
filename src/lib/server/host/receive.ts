/**
 * Files that somebody sends in pieces. As with downloads, bytes go to `<path>.part`, a note beside it says how many of them are
 * safely on disk, and only what is whole, has the right checksum and is on disk gets its name. What a sender was told to
 * have arrived has survived a power cut since.
 */
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import type { ReceiveAction } from '$lib/plugin-api/plan';
import { AppError } from '../errors';
import { nameWhole, noteOf, partOf, showProgress, type DownloadProgress } from './download';
import { unlessMissing, writeFile } from './write-file';

const SYNC_BYTES = 32 * 1024 ** 2;
const note = z.object({ id: z.string(), syncedBytes: z.number().int().nonnegative() });

/** The end that takes the bytes, for as long as the step is at work. */
export interface Receiver {
  /** Bytes that are safely on disk: where the sender goes on. */
  offset(): number;
  /**
   * Takes a piece; an earlier one that has not come to its end is given up, for its sender has begun anew.
   * @returns the new offset @throws AppError upload_offset | upload_too_long; the error of the body or the file system
   */
  append(offset: number, body: AsyncIterable<Uint8Array>): Promise<number>;
  /** All has been sent, with this SHA-256. @throws AppError upload_incomplete */
  finish(sha256: string): void;
}
const receivers = new Map<string, Receiver>();
/** null: no step of this process takes bytes for this path. */
export const receiverAt = (path: string): Receiver | null => receivers.get(path) ?? null;

async function syncedBefore({ path, id }: ReceiveAction): Promise<number> {
  const text = await readFile(noteOf(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });
  try {
    const known = note.parse(JSON.parse(text ?? 'null'));
    return known.id === id ? known.syncedBytes : 0;
  } catch {
    return 0; // none, or cut short: it begins anew
  }
}

interface Arriving {
  file: FileHandle;
  at: number;
  synced: number;
}

async function sync(action: ReceiveAction, arriving: Arriving): Promise<void> {
  const syncedBytes = arriving.at;
  await arriving.file.datasync();
  await writeFile(noteOf(action.path), JSON.stringify({ id: action.id, syncedBytes }), 0o600);
  // Told to the sender only now: what counts after a crash is the note.
  arriving.synced = syncedBytes;
}

async function take(
  action: ReceiveAction,
  arriving: Arriving,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  moved: () => void,
): Promise<void> {
  const iterator = body[Symbol.asyncIterator]();
  const { promise: given, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(signal.reason as Error);
  signal.throwIfAborted();
  signal.addEventListener('abort', giveUp);
  try {
    for (;;) {
      // A sender that is silent must not keep what was given up.
      const { done, value: chunk } = await Promise.race([iterator.next(), given]);
      if (done) return;
      if (arriving.at + chunk.byteLength > action.sizeBytes)
        throw new AppError(
          'upload_too_long',
          `More was sent than the ${action.sizeBytes} bytes that were announced.`,
        );
      await arriving.file.write(chunk, 0, chunk.byteLength, arriving.at);
      arriving.at += chunk.byteLength;
      moved();
      if (arriving.at - arriving.synced >= SYNC_BYTES) await sync(action, arriving);
    }
  } finally {
    signal.removeEventListener('abort', giveUp);
    await sync(action, arriving);
  }
}

/** Resolves with the checksum that the file has to have, once all of it has come. */
function arrival(
  action: ReceiveAction,
  arriving: Arriving,
  progress: DownloadProgress,
  signal: AbortSignal,
): { receiver: Receiver; whole: Promise<string> } {
  const { promise: whole, resolve, reject } = Promise.withResolvers<string>();
  let current: { abort: AbortController; ended: Promise<void> } | null = null;
  let patience: NodeJS.Timeout | undefined;
  const giveUp = (): void =>
    reject(
      new AppError('upload_failed', 'Nothing was sent any more.', {
        remedy: 'Upload the file again; what had come was removed.',
      }),
    );
  const moved = (): void => {
    progress.receivedBytes = arriving.at;
    clearTimeout(patience);
    patience = setTimeout(giveUp, action.patienceMs);
  };
  moved();
  const stop = (): void => reject(signal.reason as Error);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const end = (): void => clearTimeout(patience);
  whole.then(end, end);

  const receiver: Receiver = {
    offset: () => arriving.synced,
    async append(offset, body) {
      current?.abort.abort(new AppError('made_way', 'The sender has begun anew.'));
      await current?.ended;
      if (offset !== arriving.at)
        throw new AppError(
          'upload_offset',
          `${arriving.at} bytes have come; the piece begins at ${offset}.`,
          {
            details: { offset: arriving.at },
          },
        );
      const abort = new AbortController();
      const taking = take(action, arriving, body, AbortSignal.any([signal, abort.signal]), moved);
      const ended = taking.then(
        () => undefined,
        () => undefined,
      );
      current = { abort, ended };
      await taking;
      if (arriving.at === action.sizeBytes && action.checksum) resolve(action.checksum.hex);
      return arriving.at;
    },
    finish(sha256) {
      if (arriving.at !== action.sizeBytes)
        throw new AppError('upload_incomplete', `${arriving.at} of ${action.sizeBytes} bytes have come.`, {
          details: { offset: arriving.at },
        });
      resolve(action.checksum?.hex ?? sha256);
    },
  };
  // All of it was there before a restart, and its sender may not come back to say so.
  if (arriving.at === action.sizeBytes && action.checksum) resolve(action.checksum.hex);
  return { receiver, whole: whole.finally(() => current?.ended) };
}

/** Waits for what is sent, and goes on from what is there. @throws AppError upload_failed | foreign_state; Error of the file system */
export async function receive(action: ReceiveAction, signal: AbortSignal): Promise<void> {
  const before = await syncedBefore(action);
  const appended = await open(partOf(action.path), 'a+', 0o600);
  await appended.close();
  const file = await open(partOf(action.path), 'r+');
  const progress: DownloadProgress = {
    ...{
      receivedBytes: 0,
      sizeBytes: action.sizeBytes,
      bytesPerSecond: null,
      waiting: null,
      verifying: false,
    },
  };
  showProgress(action.path, progress);
  try {
    const { size } = await file.stat();
    const at = Math.min(before, size);
    await file.truncate(at);
    const arriving: Arriving = { file, at, synced: at };
    await sync(action, arriving);
    const { receiver, whole } = arrival(action, arriving, progress, signal);
    receivers.set(action.path, receiver);
    const hex = await whole;
    receivers.delete(action.path);
    await file.chmod(action.mode);
    await file.sync();
    progress.verifying = true;
    const checksum = action.checksum ?? { algorithm: 'sha256' as const, hex };
    await nameWhole({ path: action.path, checksum, damaged: 'upload_failed' }, signal);
  } finally {
    receivers.delete(action.path);
    showProgress(action.path, null);
    await file.close();
  }
}
