/** Asking for a download, and asking twice for the same one. */
import type { JsonObject } from '$lib/shared/json';
import type { Operation } from '$lib/shared/wire/operations';
import type { DownloadRequest } from '$lib/shared/wire/requests';
import type { Actor } from '$lib/shared/wire/session';
import { AppError } from '../errors';
import type { Operations } from '../operations/types';
import { DOWNLOAD } from './define';
import type { Images } from './image';

/** Who asks for what is being downloaded already is shown that download. */
export async function downloadImage(
  { images, operations }: { images: Images; operations: Operations },
  request: DownloadRequest,
  actor: Actor,
): Promise<Operation> {
  if (request.allowPrivate && actor.role !== 'admin')
    throw new AppError('forbidden', 'Only administrators may let Cairn download from a private network.');
  const running = images
    .list()
    .filter(
      (one) =>
        one.badge === 'downloading' &&
        one.pool?.guid === request.poolGuid &&
        (request.catalogId === undefined ? one.url === request.url : one.catalogId === request.catalogId),
    )
    .flatMap((one) => operations.holder(`image:${one.id}`) ?? []);
  if (running[0]) return running[0];
  // Its address is being asked first, which takes seconds: two clicks are one download all the same.
  const key = JSON.stringify([request.poolGuid, request.catalogId ?? request.url]);
  const before = images.asking.get(key);
  if (before) return before;
  const now = operations
    .start({ kind: DOWNLOAD, request: JSON.parse(JSON.stringify(request)) as JsonObject, actor })
    .finally(() => images.asking.delete(key));
  images.asking.set(key, now);
  return now;
}
