/** The plan of a conversion to qcow2, which machines start from. The image that it is made from stays as it is. */
import { randomUUID } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { looks } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { convertRequest, requestIssues } from '$lib/shared/wire/requests';
import { AppError, issuesError, toAppError } from '../errors';
import { driverOf, inspectImage } from '../host/inspect-image';
import { PROGRAMS } from '../host/programs';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import type { ImageDeps } from './deps';
import { isFileName, nameWithSum } from './file-names';
import { downloadInput, freeFile, makeFolder, poolFor, refuseFull } from './prepare-download';
import { findImage, type ImageRecord } from './store';

const DAY_MS = 24 * 60 * 60_000;
const BLOCK_BYTES = 512;
const REFUSED: readonly string[] = ['iso', 'ova', 'qcow2'];

function sourceOf({ db }: ImageDeps, id: string): ImageRecord {
  const record = findImage(db, id);
  if (!record || record.state === 'forgotten')
    throw new AppError('image_not_found', `There is no image ${id}.`);
  if (record.state !== 'ready') throw new AppError('image_wrong_state', `"${record.name}" is not at rest.`);
  if (REFUSED.includes(record.format))
    throw new AppError(
      'image_unsupported',
      `"${record.name}" is ${record.format}: there is nothing to convert.`,
      {
        remedy: 'Use it as it is.',
      },
    );
  return record;
}

/** `My disk (2).vmdk` gives My-disk-2.qcow2. */
function nameOf({ file, id }: ImageRecord): string {
  const base = posix.basename(file, posix.extname(file)).replaceAll(/[^A-Za-z0-9_-]+/g, '-');
  const name = `${base
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/-+$/, '')
    .slice(0, 100)}.qcow2`;
  return isFileName(name) ? name : `${id}.qcow2`;
}

export async function prepareConvert(deps: ImageDeps, request: JsonObject): Promise<Prepared> {
  const parsed = convertRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const source = sourceOf(deps, parsed.data.imageId);
  const pools = deps.pools.list();
  const from = poolFor(pools, source.poolGuid);
  const to = poolFor(pools, parsed.data.poolGuid ?? source.poolGuid);
  const path = join(from.mountPath, source.file);
  if (source.format === 'iso' || source.format === 'ova' || source.format === 'qcow2')
    throw new AppError('bug');
  const { obstacle } = await inspectImage(deps.commands, path, source.format);
  if (obstacle !== null) throw new AppError('image_unsupported', `"${source.name}": ${obstacle}`);
  const { blocks } = await lstat(path);
  const sourceBytes = blocks * BLOCK_BYTES;
  refuseFull(to, sourceBytes);
  const free = (name: string) => freeFile(deps, to, { file: name }, { checksum: null });
  const file = await free(nameOf(source)).catch((error: unknown) => {
    // Two images of one name, in other folders or formats: the second one's tells which it was made from.
    if (toAppError(error).code !== 'file_exists') throw error;
    return free(nameWithSum(nameOf(source), source.id));
  });
  const target = join(to.mountPath, file);
  const part = `${target}.part`;
  const id = randomUUID();
  const input = downloadInput.parse({
    ...{
      id,
      name: posix.basename(file),
      kind: source.kind,
      format: 'qcow2',
      os: source.os,
      arch: source.arch,
    },
    ...{ catalogId: null, url: null, checksum: null, defaultUser: source.defaultUser },
    ...{ minDiskBytes: source.minDiskBytes, minMemoryBytes: source.minMemoryBytes },
    ...{ poolGuid: to.guid, file, path: target, sizeBytes: null },
  });
  const argv = ['convert', '-p', '-f', driverOf(source.format), '-O', 'qcow2', '--', path, part];
  return {
    input: JSON.parse(JSON.stringify(input)) as JsonObject,
    title: `Convert ${source.name} to qcow2`,
    subject: { type: 'image', id, label: input.name },
    steps: [
      makeFolder(dirname(target)),
      {
        name: 'convert',
        title: `Convert ${source.name}`,
        run: { do: 'exec', program: PROGRAMS.qemuImg, argv, timeoutMs: DAY_MS, follow: true },
        undo: [{ do: 'remove-file', path: part }],
        look: { look: 'converted', args: { path: part, sourceBytes } },
      },
      {
        name: 'name-image',
        title: 'Give the image its name',
        run: { do: 'name-file', from: part, path: target },
        undo: [{ do: 'remove-file', path: target }],
        look: looks.fileThere(target),
      },
    ],
    locks: [
      ...[`image:${id}`, `path:${target}`, usesLock(`image:${source.id}`)],
      ...[...new Set([from.guid, to.guid])].map((guid) => usesLock(`pool:${guid}`)),
    ],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [`${path} stays as it is.`],
  };
}
