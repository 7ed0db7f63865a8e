import type { Operation } from '$lib/shared/wire/operations';
import { downloadRequest } from '$lib/shared/wire/requests';
import { REMOVE } from '../images/define';
import { downloadImage } from '../images/operations';
import { answer, json } from './answer';
import { readJson } from './body';

export const listImages = answer('viewer', ({ services }) => json({ images: services.images.list() }));
export const getImage = answer('viewer', ({ services, param }) => json(services.images.get(param('id'))));

/** 202: what was asked for is on disk and goes on by itself; its operation tells how far it is. */
const begun = (operation: Operation): Response =>
  json({ success: true, imageId: operation.subject.id, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });

export const startDownload = answer('operator', async ({ services, actor, event }) =>
  begun(await downloadImage(services, downloadRequest.parse(await readJson(event.request)), actor)),
);
export const removeImage = answer('operator', async ({ services, actor, param }) =>
  begun(await services.operations.start({ kind: REMOVE, request: { imageId: param('id') }, actor })),
);
/** Searches every mounted pool for images that somebody put there. */
export const lookForImages = answer('operator', async ({ services }) =>
  json(await services.images.lookAgain()),
);
/** It leaves the list; its file stays. */
export const forgetImage = answer('operator', ({ services, param }) => {
  services.images.forget(param('id'));
  return json({ success: true });
});
