/** The plan of an image that begins as the disk of a machine is now: whole, whatever lies below the disk, and without its snapshots. */
import { posix } from 'node:path';
import type { JsonObject } from '$lib/shared/json';
import { vmNameIssues } from '$lib/shared/vm-rules';
import { vmExportRequest } from '$lib/shared/wire/vms';
import { issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { freeFile, refuseFull } from '../images/prepare-download';
import { conversionStep, prepareWritten } from '../images/written-image';
import type { VmDeps } from './deps';
import { vmLock } from './kinds';
import { needsImage } from './needed-images';
import { takenBytes } from './place';
import { refuseUnlessAtRest } from './prepare-clone';
import { poolFor, poolOf } from './prepare-create';
import { parse, recordOf } from './verb';

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
  return prepareWritten({
    image: {
      ...{ id, kind: 'disk', os: below[0]?.os ?? null, arch: below[0]?.arch ?? null },
      ...{ defaultUser: null, minDiskBytes: diskBytes, minMemoryBytes: null },
    },
    format: 'qcow2',
    title: `Export ${source.name} as ${posix.basename(file)}`,
    ...{ to, file },
    write: (part) => [
      conversionStep({
        ...{ name: 'export', title: `Write the disk of ${source.name} into an image` },
        ...{ driver: 'qcow2', path: diskPath, part, sourceBytes },
      }),
    ],
    locks: [
      vmLock(source.id),
      ...below.map((image) => usesLock(`image:${image.id}`)),
      ...[from, ...below.flatMap(({ pool }) => pool ?? [])].map(({ guid }) => usesLock(`pool:${guid}`)),
    ],
    notes: [
      `"${source.name}" stays as it is; its snapshots are not in the image.`,
      ...(source.spec.firmware
        ? ['What its UEFI remembers is not in the image: a machine made of it looks for its system anew.']
        : []),
      ...(source.spec.tpm
        ? ['What its TPM keeps is not in the image: an encrypted disk asks for its recovery key.']
        : []),
      'What is on the disk is in the image: users, keys and passwords of its system too.',
    ],
  });
}
