/** The plan of a download: where the file goes, what must be true of it, and how it is taken back. */
import { randomUUID } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { looks, type Step } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { IMAGE_ARCHES, IMAGE_FORMATS, IMAGE_KINDS } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import { downloadRequest, requestIssues } from '$lib/shared/wire/requests';
import { AppError, issue, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import type { CatalogEntry } from './catalog';
import type { ImageDeps } from './deps';
import { entryOf } from './entries';
import { IMAGES_FOLDER, nameWithSum } from './file-names';
import { askSource, sourceOf, type Source, type SourceNow } from './source';
import { findByFile, listImages } from './store';

const MOST_BYTES = 1024 ** 4;
const PATIENCE_MS = 30 * 60_000;
/** Left free besides the file itself. */
const RESERVE_BYTES = 64 * 1024 ** 2;

export const downloadInput = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(IMAGE_KINDS),
  format: z.enum(IMAGE_FORMATS),
  os: z.object({ id: z.string(), name: z.string(), version: z.string().nullable() }).nullable(),
  arch: z.enum(IMAGE_ARCHES).nullable(),
  catalogId: z.string().nullable(),
  url: z.string().nullable(),
  checksum: z.object({ algorithm: z.enum(['sha256', 'sha512']), hex: z.string() }).nullable(),
  defaultUser: z.string().nullable(),
  minDiskBytes: z.number().nullable(),
  minMemoryBytes: z.number().nullable(),
  poolGuid: z.string(),
  file: z.string(),
  path: z.string(),
  sizeBytes: z.number().nullable(),
});

export const makeFolder = (folder: string): Step => ({
  name: 'make-folder',
  title: `Make the folder for images`,
  run: { do: 'make-directory', path: folder, mode: 0o755 },
  // Others may have files in it by now; an empty folder does no harm.
  undo: 'nothing',
  look: looks.directory(folder),
});

/** @throws AppError pool_not_found | pool_wrong_state: only a pool that is mounted can hold new files */
export function poolFor(pools: Pool[], guid: string): Pool {
  const pool = pools.find((one) => one.guid === guid);
  if (!pool) throw new AppError('pool_not_found', `There is no pool with the GUID ${guid}.`);
  if (pool.state !== 'ready' || !pool.mounted)
    throw new AppError('pool_wrong_state', `The pool "${pool.label}" is not mounted.`, {
      remedy: 'Mount it first, or choose another pool.',
    });
  return pool;
}

export function refuseFull(pool: Pool, sizeBytes: number | null): void {
  if (pool.availableBytes === null || sizeBytes === null) return;
  if (pool.availableBytes >= sizeBytes + RESERVE_BYTES) return;
  throw issuesError([
    issue(
      'pool_full',
      `The file has ${formatBytes(sizeBytes)}; the pool "${pool.label}" has ${formatBytes(pool.availableBytes)} free.`,
      'poolGuid',
    ),
  ]);
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );

/** A name that is free, on the pool and in the records; another build of the same name gets its checksum into its name. */
export async function freeFile(
  { db }: Pick<ImageDeps, 'db'>,
  pool: Pool,
  source: Pick<Source, 'file'>,
  now: Pick<SourceNow, 'checksum'>,
): Promise<string> {
  const same = listImages(db).find(
    (one) => one.poolGuid === pool.guid && now.checksum !== null && one.checksum?.hex === now.checksum.hex,
  );
  if (same)
    throw new AppError(
      'image_exists',
      `"${same.name}" is on the pool "${pool.label}" already, in this very build.`,
    );
  const names = [source.file, ...(now.checksum ? [nameWithSum(source.file, now.checksum.hex)] : [])];
  for (const name of names) {
    const file = `${IMAGES_FOLDER}/${name}`;
    const path = join(pool.mountPath, file);
    // Also what somebody else's program has begun under the name that unfinished files have.
    if (findByFile(db, pool.guid, file) || (await isThere(path)) || (await isThere(`${path}.part`))) continue;
    return file;
  }
  throw issuesError([
    issue('file_exists', `${join(pool.mountPath, IMAGES_FOLDER, source.file)} is there already.`, 'file'),
  ]);
}

function downloadSteps(
  path: string,
  folder: string,
  url: string,
  now: SourceNow,
  allowPrivate: boolean,
): Step[] {
  return [
    makeFolder(folder),
    {
      name: 'download',
      title: now.checksum ? `Download and compare the ${now.checksum.algorithm} checksum` : 'Download',
      run: {
        ...{ do: 'download', url, path, mode: 0o644, allowPrivate },
        ...{
          sizeBytes: now.sizeBytes,
          checksum: now.checksum,
          maxBytes: MOST_BYTES,
          patienceMs: PATIENCE_MS,
        },
      },
      undo: [{ do: 'remove-download', path }],
      look: looks.downloaded(path, now.sizeBytes, now.checksum),
    },
  ];
}

/** What an entry of the catalog says counts, whatever was asked for. */
const termsOf = ({ checksum, allowPrivate }: CatalogEntry) => ({
  checksum: checksum ?? undefined,
  allowPrivate,
});

export async function prepareDownload(deps: ImageDeps, request: JsonObject): Promise<Prepared> {
  const parsed = downloadRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const entry = parsed.data.catalogId === undefined ? null : entryOf(deps.db, parsed.data.catalogId);
  const asked = entry ? { ...parsed.data, ...termsOf(entry) } : parsed.data;
  const source = sourceOf(asked, entry);
  const pool = poolFor(deps.pools.list(), asked.poolGuid);
  const now = await askSource(asked, source);
  refuseFull(pool, now.sizeBytes);
  const file = await freeFile(deps, pool, source, now);
  const path = join(pool.mountPath, file);
  const input = downloadInput.parse({ ...source, ...now, id: randomUUID(), poolGuid: pool.guid, file, path });
  return {
    input: JSON.parse(JSON.stringify(input)) as JsonObject,
    title: `Download ${source.name}${now.sizeBytes === null ? '' : ` (${formatBytes(now.sizeBytes)})`}`,
    subject: { type: 'image', id: input.id, label: source.name },
    steps: downloadSteps(path, join(pool.mountPath, IMAGES_FOLDER), source.url, now, asked.allowPrivate),
    locks: [`image:${input.id}`, `path:${path}`, usesLock(`pool:${pool.guid}`)],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [
      now.checksum
        ? `Its ${now.checksum.algorithm} checksum has to be ${now.checksum.hex}.`
        : 'No checksum is known: a file that was changed on its way would not be noticed.',
    ],
  };
}
