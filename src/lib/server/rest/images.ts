import type { Operation } from '$lib/shared/wire/operations';
import {
  catalogEntryRequest,
  convertRequest,
  downloadRequest,
  uploadFinish,
  uploadRequest,
} from '$lib/shared/wire/requests';
import { CONVERT, REMOVE, UPLOAD } from '../images/define';
import { downloadImage } from '../images/operations';
import { AppError } from '../errors';
import { answer, json } from './answer';
import { readJson } from './body';

export const listImages = answer('viewer', ({ services }) => json({ images: services.images.list() }));
export const getImage = answer('viewer', ({ services, param }) => json(services.images.get(param('id'))));

/** 202: what was asked for is on disk and goes on by itself; its operation tells how far it is. */
const begun = (operation: Operation): Response =>
  json({ success: true, imageId: operation.subject.id, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });

export const startDownload = answer(
  'operator',
  async ({ services, actor, event }) =>
    begun(await downloadImage(services, downloadRequest.parse(await readJson(event.request)), actor)),
  { body: downloadRequest },
);
export const removeImage = answer('operator', async ({ services, actor, param }) =>
  begun(await services.operations.start({ kind: REMOVE, request: { imageId: param('id') }, actor })),
);
/** Asks the publishers what they offer now. */
export const refreshCatalog = answer('operator', async ({ services }) =>
  json(await services.images.refreshCatalog()),
);
/** The same of one entry. */
export const refreshEntry = answer('operator', async ({ services, param }) =>
  json(await services.images.refreshCatalog(param('id'))),
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

/** Entries of the catalog that people made here. */
export const listEntries = answer('viewer', ({ services }) =>
  json({ entries: services.images.catalog.own() }),
);
export const addEntry = answer(
  'operator',
  async ({ services, actor, event }) =>
    json(
      services.images.catalog.save(catalogEntryRequest.parse(await readJson(event.request)), actor, null),
      201,
    ),
  { body: catalogEntryRequest },
);
export const changeEntry = answer(
  'operator',
  async ({ services, actor, event, param }) =>
    json(
      services.images.catalog.save(
        catalogEntryRequest.parse(await readJson(event.request)),
        actor,
        param('id'),
      ),
    ),
  { body: catalogEntryRequest },
);
export const removeEntry = answer('operator', ({ services, param }) => {
  services.images.catalog.remove(param('id'));
  return json({ success: true });
});

/** 202: now its bytes can be sent, see below. */
export const startUpload = answer(
  'operator',
  async ({ services, actor, event }) => {
    const request = uploadRequest.parse(await readJson(event.request));
    return begun(await services.operations.start({ kind: UPLOAD, request, actor }));
  },
  { body: uploadRequest },
);
/** How much is safely there. */
export const uploadState = answer('operator', ({ services, param }) =>
  json(services.images.uploads.state(param('id'))),
);

const offsetOf = (header: string | null): number => {
  const offset = /^\d{1,16}$/.test(header ?? '') ? Number(header) : NaN;
  if (!Number.isSafeInteger(offset))
    throw new AppError('invalid_input', 'The header Upload-Offset has to say where the piece begins.');
  return offset;
};
/** Beginning and end of an upload are in the audit log; its pieces come by the thousand. */
const PIECES = { audited: false };
/** A piece of any size, from `Upload-Offset` on; of one that breaks off, what came counts. */
export const takePiece = answer(
  'operator',
  async ({ services, event, param }) => {
    const offset = offsetOf(event.request.headers.get('upload-offset'));
    const { body } = event.request;
    // Without a type, SvelteKit takes the request for one without a body.
    if (!body)
      throw new AppError('unsupported_media_type', 'The piece has no bytes, or no Content-Type.', {
        remedy: 'Send Content-Type: application/octet-stream.',
      });
    return json({ offset: await services.images.uploads.append(param('id'), offset, body) });
  },
  PIECES,
);
export const finishUpload = answer(
  'operator',
  async ({ services, event, param }) => {
    services.images.uploads.finish(param('id'), uploadFinish.parse(await readJson(event.request)).sha256);
    return json({ success: true }, 202);
  },
  { body: uploadFinish },
);

/** To qcow2; the image itself stays as it is. */
export const convertImage = answer(
  'operator',
  async ({ services, actor, event, param }) => {
    const { poolGuid } = convertRequest.pick({ poolGuid: true }).parse(await readJson(event.request));
    const request = { imageId: param('id'), ...(poolGuid === undefined ? {} : { poolGuid }) };
    return begun(await services.operations.start({ kind: CONVERT, request, actor }));
  },
  { body: convertRequest.pick({ poolGuid: true }) },
);
