/** Images as operations. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { looks, not } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { ImageOrigin } from '$lib/shared/wire/images';
import { imageRequest, requestIssues } from '$lib/shared/wire/requests';
import type { Transaction } from '../db/client';
import { AppError, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Operations, Prepared, RecordOwner } from '../operations/types';
import type { ImageDeps } from './deps';
import { refuseNeeded } from './needed';
import { downloadInput, poolFor, prepareDownload } from './prepare-download';
import { prepareConvert } from './prepare-convert';
import { prepareUpload } from './prepare-upload';
import { changeImage, deleteImage, findByFile, findImage, insertImage } from './store';

export const DOWNLOAD = 'image.download';
export const UPLOAD = 'image.upload';
export const CONVERT = 'image.convert';
export const REMOVE = 'image.remove';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Told after the commit: whoever hears it reads the record again. */
const tell = ({ bus }: Pick<ImageDeps, 'bus'>, id: string): void =>
  queueMicrotask(() => bus.emit('image.changed', { id }));

/** Of what is written here from something that is here already. */
export const convertRecord = (deps: Pick<ImageDeps, 'bus' | 'clock'>): RecordOwner => ({
  ...arrivalRecord(deps),
  begin(tx, _operationId, prepared) {
    const { path: _path, ...input } = downloadInput.parse(prepared.input);
    insertImage(tx, { ...input, origin: 'converted', state: 'creating', createdAt: deps.clock.now() });
    tell(deps, input.id);
  },
  succeed(tx, _operationId, prepared) {
    const { path } = downloadInput.parse(prepared.input);
    changeImage(tx, prepared.subject.id, { state: 'ready', sizeBytes: statSync(path).size });
    tell(deps, prepared.subject.id);
  },
});

const originOf = ({ catalogId, url }: { catalogId: string | null; url: string | null }): ImageOrigin =>
  catalogId !== null ? 'catalog' : url !== null ? 'url' : 'upload';

/** Of what comes onto a pool, from elsewhere or by somebody's hand. */
const arrivalRecord = (deps: Pick<ImageDeps, 'bus' | 'clock'>): RecordOwner => ({
  begin(tx, _operationId, prepared) {
    const { path: _path, ...input } = downloadInput.parse(prepared.input);
    const other = findByFile(tx, input.poolGuid, input.file);
    if (other) throw new AppError('file_exists', `"${other.name}" is to be ${input.file} too.`);
    insertImage(tx, { ...input, origin: originOf(input), state: 'creating', createdAt: deps.clock.now() });
    tell(deps, input.id);
  },
  succeed(tx, _operationId, prepared) {
    changeImage(tx, prepared.subject.id, { state: 'ready' });
    tell(deps, prepared.subject.id);
  },
  takenBack(tx, _operationId, prepared) {
    deleteImage(tx, prepared.subject.id);
    tell(deps, prepared.subject.id);
  },
  needsYou: (_tx, _operationId, prepared) => tell(deps, prepared.subject.id),
});

function setState(deps: ImageDeps, tx: Transaction, id: string, state: 'ready' | 'deleting'): void {
  changeImage(tx, id, { state });
  tell(deps, id);
}
const removeRecord = (deps: ImageDeps): RecordOwner => ({
  begin(tx, _operationId, prepared) {
    if (findImage(tx, prepared.subject.id)?.state !== 'ready')
      throw new AppError('image_wrong_state', `"${prepared.subject.label}" is not at rest.`);
    setState(deps, tx, prepared.subject.id, 'deleting');
  },
  succeed(tx, _operationId, prepared) {
    deleteImage(tx, prepared.subject.id);
    tell(deps, prepared.subject.id);
  },
  takenBack: (tx, _operationId, prepared) => setState(deps, tx, prepared.subject.id, 'ready'),
  needsYou: (_tx, _operationId, prepared) => tell(deps, prepared.subject.id),
});

/** With its file; of one whose pool is gone only the record goes. */
async function prepareRemove(deps: ImageDeps, request: JsonObject): Promise<Prepared> {
  const parsed = imageRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const record = findImage(deps.db, parsed.data.imageId);
  if (!record) throw new AppError('image_not_found', `There is no image ${parsed.data.imageId}.`);
  refuseNeeded(deps, record);
  const pools = deps.pools.list();
  const known = pools.some((pool) => pool.guid === record.poolGuid);
  const path = known ? join(poolFor(pools, record.poolGuid).mountPath, record.file) : null;
  return {
    input: { imageId: record.id, path },
    title: `Delete image ${record.name}`,
    subject: { type: 'image', id: record.id, label: record.name },
    steps:
      path === null
        ? []
        : [
            {
              name: 'remove-file',
              title: `Delete ${path}`,
              run: { do: 'remove-file', path },
              undo: 'impossible',
              look: not(looks.fileThere(path)),
            },
          ],
    locks: [
      `image:${record.id}`,
      ...(path === null ? [] : [`path:${path}`, usesLock(`pool:${record.poolGuid}`)]),
    ],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [
      path === null
        ? 'Its pool is not known any more: only the entry in the list goes.'
        : `The file ${path} is deleted.`,
    ],
  };
}

export function defineImageOperations(operations: Operations, deps: ImageDeps): void {
  operations.define({
    kind: DOWNLOAD,
    onInterrupt: 'continue',
    deadlineMs: 7 * DAY_MS,
    prepare: (request) => prepareDownload(deps, request),
    record: arrivalRecord(deps),
  });
  operations.define({
    kind: UPLOAD,
    onInterrupt: 'continue',
    deadlineMs: 14 * DAY_MS,
    prepare: (request) => prepareUpload(deps, request),
    record: arrivalRecord(deps),
  });
  operations.define({
    kind: CONVERT,
    onInterrupt: 'take-back',
    deadlineMs: 2 * DAY_MS,
    prepare: (request) => prepareConvert(deps, request),
    record: convertRecord(deps),
  });
  operations.define({
    kind: REMOVE,
    onInterrupt: 'finish',
    deadlineMs: 10 * MINUTE_MS,
    prepare: (request) => prepareRemove(deps, request),
    record: removeRecord(deps),
  });
}
