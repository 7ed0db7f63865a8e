/** The plan of an upload: where the file goes, and how it is taken back. */
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { looks } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { requestIssues, uploadRequest } from '$lib/shared/wire/requests';
import { issue, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import type { ImageDeps } from './deps';
import { declaredFormat, isFileName } from './file-names';
import { guessOs, kindOfName } from './guess-os';
import { downloadInput, freeFile, makeFolder, poolFor, refuseFull } from './prepare-download';
import { checksumOf } from './source';

/** A sender that was away for so long does not come back. */
const PATIENCE_MS = 24 * 60 * 60_000;

export async function prepareUpload(deps: ImageDeps, request: JsonObject): Promise<Prepared> {
  const parsed = uploadRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const { file: name, sizeBytes, poolGuid } = parsed.data;
  const format = declaredFormat(name);
  if (!isFileName(name) || format === null)
    throw issuesError([
      issue('file_name_invalid', `"${name}" cannot be the name of an image's file.`, 'file'),
    ]);
  const checksum = parsed.data.checksum === undefined ? null : checksumOf(parsed.data.checksum);
  const pool = poolFor(deps.pools.list(), poolGuid);
  refuseFull(pool, sizeBytes);
  const file = await freeFile(deps, pool, { file: name }, { checksum });
  const path = join(pool.mountPath, file);
  const id = randomUUID();
  const input = downloadInput.parse({
    ...{ id, name: parsed.data.name ?? name, kind: kindOfName(name, format === 'iso'), format },
    ...{ ...guessOs(name, null), catalogId: null, url: null, checksum, defaultUser: null },
    ...{ minDiskBytes: null, minMemoryBytes: null, poolGuid, file, path, sizeBytes },
  });
  return {
    input: JSON.parse(JSON.stringify(input)) as JsonObject,
    title: `Upload ${input.name} (${formatBytes(sizeBytes)})`,
    subject: { type: 'image', id, label: input.name },
    steps: [
      makeFolder(dirname(path)),
      {
        name: 'receive',
        title: 'Take what is sent, and compare its checksum',
        run: { do: 'receive', id, path, mode: 0o644, sizeBytes, checksum, patienceMs: PATIENCE_MS },
        undo: [{ do: 'remove-download', path }],
        look: looks.downloaded(path, sizeBytes, checksum),
      },
    ],
    locks: [`image:${id}`, `path:${path}`, usesLock(`pool:${poolGuid}`)],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [
      'It waits for its sender for a day at a time, also over restarts of Cairn. Cancelling it leaves nothing.',
    ],
  };
}
