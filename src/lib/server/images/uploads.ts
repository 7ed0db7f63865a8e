/** The bytes of uploads that are under way, between whoever sends them and the step that takes them. */
import { posix } from 'node:path';
import type { UploadState } from '$lib/shared/wire/images';
import { AppError } from '../errors';
import { receiverAt, type Receiver } from '../host/receive';
import type { ImageDeps } from './deps';
import { findImage } from './store';

export interface Uploads {
  /** @throws AppError image_not_found | image_wrong_state | upload_not_ready */
  state(imageId: string): UploadState;
  /** @returns the new offset @throws as `state`, and upload_offset | upload_too_long */
  append(imageId: string, offset: number, body: AsyncIterable<Uint8Array>): Promise<number>;
  /** @throws as `state`, and upload_incomplete */
  finish(imageId: string, sha256: string): void;
}

export function createUploads({ db, pools, operations }: ImageDeps): Uploads {
  function receiverOf(imageId: string): UploadState & { receiver: Receiver } {
    const record = findImage(db, imageId);
    if (!record) throw new AppError('image_not_found', `There is no image ${imageId}.`);
    const operationId = operations.holderId(`image:${imageId}`);
    if (record.origin !== 'upload' || record.state !== 'creating' || operationId === null)
      throw new AppError('image_wrong_state', `"${record.name}" is not being uploaded.`);
    const pool = pools.list().find(({ guid }) => guid === record.poolGuid);
    const receiver = pool ? receiverAt(posix.join(pool.mountPath, record.file)) : null;
    if (!receiver)
      throw new AppError('upload_not_ready', `The upload of "${record.name}" takes no bytes at the moment.`);
    return { imageId, operationId, offset: receiver.offset(), sizeBytes: record.sizeBytes ?? 0, receiver };
  }
  return {
    state(imageId) {
      const { receiver: _receiver, ...state } = receiverOf(imageId);
      return state;
    },
    append: async (imageId, offset, body) => receiverOf(imageId).receiver.append(offset, body),
    finish: (imageId, sha256) => receiverOf(imageId).receiver.finish(sha256),
  };
}
