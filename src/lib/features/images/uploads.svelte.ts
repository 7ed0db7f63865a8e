/**
 * Files that this tab sends. They go on while one looks at other pages; after a reload the tab has no hold on the file any
 * more, so it is chosen once more and goes on where it was. What was sent before is compared in the end, by the checksum.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { SvelteMap } from 'svelte/reactivity';
import { presentError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import { reportError } from '../session/attempt';

const PIECE_BYTES = 8 * 1024 ** 2;
const PAUSE_MS = 1_000;
const MOST_PAUSE_MS = 15_000;

interface Sending {
  file: File;
  abort: AbortController;
}
const sending = new SvelteMap<string, Sending>();

/** Does this tab send it now? */
export const isSending = (imageId: string): boolean => sending.has(imageId);
export function pauseUpload(imageId: string): void {
  sending.get(imageId)?.abort.abort();
  sending.delete(imageId);
}

const bytesOf = async (file: File, from: number): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await file.slice(from, from + PIECE_BYTES).arrayBuffer());

async function sendPiece(
  imageId: string,
  from: number,
  piece: Blob,
  signal: AbortSignal,
): Promise<number | null> {
  const answer = await fetch(`/api/v1/images/${imageId}/content`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'upload-offset': String(from) },
    ...{ body: piece, signal },
  });
  if (!answer.ok) return null;
  const { offset } = (await answer.json()) as { offset: number };
  return offset;
}

/**
 * The checksum of what the server has, computed as it is sent (browsers have SHA-256 only for what is whole, and only over
 * https); what was sent before a reload is read once more.
 */
class Sent {
  #hash = sha256.create();
  #bytes = 0;
  readonly #file: File;
  constructor(file: File) {
    this.#file = file;
  }
  add(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#bytes += piece.length;
  }
  async catchUp(offset: number, signal: AbortSignal): Promise<void> {
    if (offset < this.#bytes) [this.#hash, this.#bytes] = [sha256.create(), 0];
    while (this.#bytes < offset) {
      signal.throwIfAborted();
      const piece = await bytesOf(this.#file, this.#bytes);
      this.add(piece.subarray(0, offset - this.#bytes));
    }
  }
  hex(): string {
    return bytesToHex(this.#hash.digest());
  }
}

/** @returns whether all has been sent; false: something broke */
async function sendRest(imageId: string, { file, abort: { signal } }: Sending, sent: Sent): Promise<boolean> {
  let { offset } = await trpc().images.uploadState.query({ id: imageId });
  await sent.catchUp(offset, signal);
  while (offset < file.size) {
    signal.throwIfAborted();
    const piece = await bytesOf(file, offset);
    const next = await sendPiece(imageId, offset, new Blob([piece]), signal);
    if (next === null) return false;
    sent.add(piece.subarray(0, next - offset));
    offset = next;
  }
  return true;
}

const FINAL: readonly string[] = ['image_not_found', 'image_wrong_state', 'forbidden', 'unauthenticated'];

/** Sends until all is there. What breaks is tried again from where the server says; only its refusal ends it. */
async function send(imageId: string, sending: Sending): Promise<void> {
  const { signal } = sending.abort;
  const sent = new Sent(sending.file);
  for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(MOST_PAUSE_MS, pauseMs * 2)) {
    try {
      if (await sendRest(imageId, sending, sent)) {
        await trpc().images.finishUpload.mutate({ id: imageId, sha256: sent.hex() });
        return;
      }
    } catch (thrown) {
      signal.throwIfAborted();
      if (FINAL.includes(presentError(thrown).code)) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    signal.throwIfAborted();
  }
}

/** Goes on with an upload, from where it is. */
export function sendFile(imageId: string, file: File): void {
  pauseUpload(imageId);
  const own: Sending = { file, abort: new AbortController() };
  sending.set(imageId, own);
  send(imageId, own)
    .catch((thrown: unknown) => {
      if (!own.abort.signal.aborted) reportError(thrown);
    })
    .finally(() => {
      if (sending.get(imageId) === own) sending.delete(imageId);
    });
}

/** Asks the reader for a file, and nothing if they change their mind. */
export function chooseFile(chosen: (file: File) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    if (file) chosen(file);
  });
  input.click();
}
