/** The plan of a conversion to qcow2, which machines start from. The image that it is made from stays as it is. */
import { randomUUID } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { JsonObject } from '$lib/shared/json';
import { convertRequest, requestIssues } from '$lib/shared/wire/requests';
import { AppError, issuesError, toAppError } from '../errors';
import { driverOf, inspectImage } from '../host/inspect-image';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import type { ImageDeps } from './deps';
import { isFileName, nameWithSum } from './file-names';
import { freeFile, poolFor, refuseFull } from './prepare-download';
import { findImage, type ImageRecord } from './store';
import { conversionStep, prepareWritten } from './written-image';

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
  const { format } = source;
  const { obstacle } = await inspectImage(deps.commands, path, format);
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
  return prepareWritten({
    image: { ...source, id: randomUUID() },
    format: 'qcow2',
    title: `Convert ${source.name} to qcow2`,
    ...{ to, file },
    write: (part) => [
      conversionStep({
        ...{ name: 'convert', title: `Convert ${source.name}` },
        ...{ driver: driverOf(format), path, part, sourceBytes },
      }),
    ],
    locks: [usesLock(`image:${source.id}`), usesLock(`pool:${from.guid}`)],
    notes: [`${path} stays as it is.`],
  });
}
