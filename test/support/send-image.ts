/** Sends an image as any client does: in pieces, from where the server says, for as long as the upload is there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Appliance } from './appliance';

export interface Upload {
  imageId: string;
  /** Bytes of each piece. */
  pieceBytes: number;
  content: Buffer;
}

async function sendPiece(appliance: Appliance, upload: Upload, offset: number): Promise<number> {
  const answer = await fetch(`${appliance.url}/api/v1/images/${upload.imageId}/content`, {
    method: 'PUT',
    headers: {
      ...{ 'x-api-key': appliance.apiKey, connection: 'close', 'upload-offset': String(offset) },
      'content-type': 'application/octet-stream',
    },
    body: new Uint8Array(upload.content.subarray(offset, offset + upload.pieceBytes)),
  });
  const body = (await answer.json()) as { offset?: number };
  if (!answer.ok || body.offset === undefined) throw new Error(`refused: ${JSON.stringify(body)}`);
  return body.offset;
}

/** null: the server does not answer, or is not ready for it. */
async function offsetOf(appliance: Appliance, imageId: string): Promise<number | null | 'over'> {
  try {
    const { status, body } = await appliance.rest<{ offset?: number; error?: { code: string } }>(
      'GET',
      `/images/${imageId}/content`,
    );
    if (status === 404 || body.error?.code === 'image_wrong_state') return 'over';
    return body.offset ?? null;
  } catch {
    return null; // killed at this moment
  }
}

/** Never gives up while the upload goes on. Resolves when the server knows of it no more, or it is an image. */
export async function sendImage(appliance: Appliance, upload: Upload, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const offset = await offsetOf(appliance, upload.imageId);
    if (offset === 'over') return;
    try {
      if (offset !== null && offset < upload.content.length) await sendPiece(appliance, upload, offset);
      else await sleep(20);
    } catch {
      await sleep(20); // the connection broke: asked again where to go on
    }
  }
}
