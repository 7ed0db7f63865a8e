/** The plan of an image that begins as the disk of a machine is now: whole, whatever lies below the disk, and without its snapshots. */
import { join, posix } from 'node:path';
import { looks } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { vmNameIssues } from '$lib/shared/vm-rules';
import { vmExportRequest } from '$lib/shared/wire/vms';
import { issuesError } from '../errors';
import { PROGRAMS } from '../host/programs';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { downloadInput, freeFile, makeFolder, refuseFull } from '../images/prepare-download';
import type { VmDeps } from './deps';
import { vmLock } from './kinds';
import { needsImage } from './needed-images';
import { takenBytes } from './place';
import { refuseUnlessAtRest } from './prepare-clone';
import { poolFor, poolOf } from './prepare-create';
import { parse, recordOf } from './verb';

const DAY_MS = 24 * 60 * 60_000;

export async function prepareExport(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, imageId: id, name, poolGuid } = parse(vmExportRequest, request);
  const source = recordOf(deps.db, vmId);
  await refuseUnlessAtRest(deps, source, 'exported');
  const issues = vmNameIssues(name);
  if (issues.length > 0) throw issuesError(issues);
  const from = poolOf(deps, source);
  const to = poolFor(deps.pools.list(), poolGuid ?? source.poolGuid);
  const { diskPath, diskBytes } = source.spec;
  const below = deps.images
    .list()
    .filter((image) => image.path !== source.spec.cdPath && needsImage(source, image));
  const all = [(await takenBytes({ path: diskPath })) ?? 0, ...below.map(({ sizeBytes }) => sizeBytes ?? 0)];
  // What a template holds of it is nobody's image: it may be the whole disk.
  const sourceBytes =
    source.disk === 'linked'
      ? diskBytes
      : Math.min(
          diskBytes,
          all.reduce((sum, bytes) => sum + bytes, 0),
        );
  refuseFull(to, sourceBytes);
  const file = await freeFile(deps, to, { file: `${name}.qcow2` }, { checksum: null });
  const target = join(to.mountPath, file);
  const part = `${target}.part`;
  const os = below[0]?.os ?? null;
  const input = downloadInput.parse({
    ...{ id, name: posix.basename(file), kind: 'disk', format: 'qcow2', os, arch: below[0]?.arch ?? null },
    ...{ catalogId: null, url: null, checksum: null, defaultUser: null },
    ...{ minDiskBytes: diskBytes, minMemoryBytes: null },
    ...{ poolGuid: to.guid, file, path: target, sizeBytes: null },
  });
  const argv = ['convert', '-p', '-f', 'qcow2', '-O', 'qcow2', '--', diskPath, part];
  const pools = [from.guid, to.guid, ...below.flatMap(({ pool }) => (pool ? [pool.guid] : []))];
  return {
    input: JSON.parse(JSON.stringify(input)) as JsonObject,
    title: `Export ${source.name} as ${input.name}`,
    subject: { type: 'image', id, label: input.name },
    steps: [
      makeFolder(posix.dirname(target)),
      {
        name: 'export',
        title: `Write the disk of ${source.name} into an image`,
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
      ...[`image:${id}`, `path:${target}`, vmLock(source.id)],
      ...below.map((image) => usesLock(`image:${image.id}`)),
      ...[...new Set(pools)].map((guid) => usesLock(`pool:${guid}`)),
    ],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [
      `"${source.name}" stays as it is; its snapshots are not in the image.`,
      'What is on the disk is in the image: users, keys and passwords of its system too.',
    ],
  };
}
