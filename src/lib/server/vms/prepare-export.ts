/** The plan of an image of a machine: of its first disk, or of all of it. Whole, whatever lies below a disk, and without snapshots. */
import { posix } from 'node:path';
import { disksOf } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { vmNameIssues } from '$lib/shared/vm-rules';
import type { Image } from '$lib/shared/wire/images';
import { vmExportRequest } from '$lib/shared/wire/vms';
import { issue, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { freeFile, refuseFull } from '../images/prepare-download';
import { conversionStep, prepareWritten } from '../images/written-image';
import type { VmDeps } from './deps';
import { vmLock } from './kinds';
import { needsImage } from './needed-images';
import { takenBytes } from './place';
import { ovaBytes, ovaSteps, tarFormatOf, workFolderOf } from './plan-ova';
import { refuseUnlessAtRest } from './prepare-clone';
import { poolFor, poolOf } from './prepare-create';
import type { VmRecord } from './store';
import { parse, recordOf } from './verb';

/** What is below its disk, and how much of each disk there is to be written at most. */
async function sizesOf(deps: VmDeps, source: VmRecord): Promise<{ below: Image[]; sourceBytes: number[] }> {
  const below = deps.images
    .list()
    .filter((image) => image.path !== source.spec.cdPath && needsImage(source, image));
  const belowBytes = below.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  const sourceBytes = await Promise.all(
    disksOf(source.spec).map(async ({ slot, path, sizeBytes }) => {
      // What a template holds of it is nobody's image: it may be the whole disk.
      if (slot === 1 && source.disk === 'linked') return sizeBytes;
      const taken = (await takenBytes({ path })) ?? 0;
      return Math.min(sizeBytes, taken + (slot === 1 ? belowBytes : 0));
    }),
  );
  return { below, sourceBytes };
}

async function refuseTakenWork(path: string): Promise<void> {
  const folder = workFolderOf(path);
  if ((await takenBytes({ path: folder })) === null) return;
  throw issuesError([
    issue('file_exists', `${folder} is there, from an export that was cut.`, 'name', 'Remove that folder.'),
  ]);
}

export async function prepareExport(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, imageId: id, name, poolGuid, format } = parse(vmExportRequest, request);
  const isWhole = format === 'ova';
  const source = recordOf(deps.db, vmId);
  const { spec } = source;
  await refuseUnlessAtRest(deps, source, 'exported', isWhole ? 'all' : 'first');
  const issues = vmNameIssues(name);
  if (issues.length > 0) throw issuesError(issues);
  const from = poolOf(deps, source);
  const to = poolFor(deps.pools.list(), poolGuid ?? source.poolGuid);
  const { below, sourceBytes } = await sizesOf(deps, source);
  const [firstBytes = 0] = sourceBytes;
  refuseFull(to, isWhole ? ovaBytes(sourceBytes) : firstBytes);
  const file = await freeFile(deps, to, { file: `${name}.${format}` }, { checksum: null });
  const path = posix.join(to.mountPath, file);
  if (isWhole) await refuseTakenWork(path);
  return prepareWritten({
    image: {
      ...{ id, kind: isWhole ? 'ova' : 'disk', os: below[0]?.os ?? null, arch: below[0]?.arch ?? null },
      ...{ defaultUser: null, minDiskBytes: spec.diskBytes, minMemoryBytes: null },
    },
    ...{ format, to, file },
    title: `Export ${source.name} as ${posix.basename(file)}`,
    write: (part) =>
      isWhole
        ? ovaSteps(spec, name, path, sourceBytes)
        : [
            conversionStep({
              ...{ name: 'export', title: `Write the disk of ${source.name} into an image` },
              ...{ driver: 'qcow2', path: spec.diskPath, part, sourceBytes: firstBytes },
            }),
          ],
    locks: [
      vmLock(source.id),
      ...below.map((image) => usesLock(`image:${image.id}`)),
      ...[from, ...below.flatMap(({ pool }) => pool ?? [])].map(({ guid }) => usesLock(`pool:${guid}`)),
    ],
    notes: [
      `"${source.name}" stays as it is; its snapshots are not in the image.`,
      isWhole
        ? 'What is on its disks is in the file: users, keys and passwords of its system too.'
        : 'What is on the disk is in the image: users, keys and passwords of its system too.',
      ...(spec.firmware
        ? ['What its UEFI remembers is not in the image: a machine made of it looks for its system anew.']
        : []),
      ...(spec.tpm
        ? ['What its TPM keeps is not in the image: an encrypted disk asks for its recovery key.']
        : []),
      ...(isWhole
        ? [
            'Cards have new addresses where it is imported, and its disks hang on a SCSI controller there.',
            ...(tarFormatOf(sourceBytes) === 'gnu'
              ? ['A disk may be longer than 8 GiB, which the archive tells in the way of GNU tar.']
              : []),
          ]
        : []),
    ],
  });
}
