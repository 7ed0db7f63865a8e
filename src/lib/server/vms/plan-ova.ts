/**
 * A whole machine in one file, an OVA (DSP0243 1.1.0, 5.3): a tar archive with the descriptor first, the disks in its order, and
 * the checksums of all of them last, as VirtualBox writes them. Disks are written beside it first: how long they get is known
 * only then, and a tar archive wants it before.
 */
import { posix } from 'node:path';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import { disksOf, type VmSpec } from '$lib/plugin-api/vm';
import { PROGRAMS } from '../host/programs';
import { conversionStep } from '../images/written-image';
import { ovfText } from './write-ovf';

const DAY_MS = 24 * 60 * 60_000;
const GIB = 1024 ** 3;
/** ustar writes a length as eleven octal digits. */
const MOST_USTAR_BYTES = 8 * GIB;

/** What does not get smaller when it is compressed gets a little larger: a marker and padding for each 64 KiB. */
const vmdkBytes = (bytes: number): number => Math.ceil(bytes * 1.02) + 1024 ** 2;
/** Free space that it needs while it is made: the disks, and the archive with them. */
export const ovaBytes = (sourceBytes: number[]): number =>
  2 * sourceBytes.reduce((sum, bytes) => sum + vmdkBytes(bytes), 0);
/** The format that DSP0243 asks for, unless a disk may be longer than it can say: then GNU's numbers, which the others read too. */
export const tarFormatOf = (sourceBytes: number[]): 'ustar' | 'gnu' =>
  sourceBytes.every((bytes) => vmdkBytes(bytes) < MOST_USTAR_BYTES) ? 'ustar' : 'gnu';

const NETWORK = 'Network';

export const workFolderOf = (path: string): string =>
  posix.join(posix.dirname(path), `.${posix.basename(path)}.parts`);

const remove = (name: string, path: string): Step => ({
  ...{ name, title: `Remove ${posix.basename(path)}, which is in the archive` },
  ...{ run: { do: 'remove-file', path }, undo: 'nothing', look: not(looks.fileThere(path)) },
});

/** @param sourceBytes what each disk takes at most, as `disksOf` has them; `path`: of the archive */
export function ovaSteps(spec: VmSpec, name: string, path: string, sourceBytes: number[]): Step[] {
  const folder = workFolderOf(path);
  const part = `${path}.part`;
  const disks = disksOf(spec).map((disk, index) => ({
    ...{ path: disk.path, sizeBytes: disk.sizeBytes, file: `${name}-disk${index + 1}.vmdk` },
    sourceBytes: sourceBytes[index] ?? 0,
  }));
  const at = (file: string): string => posix.join(folder, file);
  const [descriptor, manifest] = [`${name}.ovf`, `${name}.mf`];
  const content = ovfText({
    ...{ name, cpus: spec.cpus, memoryBytes: spec.memoryBytes, disks },
    ...{ isEfi: spec.firmware !== undefined, devices: spec.devices ?? 'virtio' },
    networks: (spec.cards ?? [{}]).map(({ bridge }: { bridge?: string }) => bridge ?? NETWORK),
  });
  const files = [descriptor, ...disks.map(({ file }) => file)];
  const total = sourceBytes.reduce((sum, bytes) => sum + bytes, 0);
  return [
    {
      name: 'make-work-folder',
      title: 'Make a folder for what goes into the archive',
      run: { do: 'make-directory', path: folder, mode: 0o700 },
      undo: [{ do: 'remove-directory', path: folder }],
      look: looks.directory(folder),
    },
    ...disks.map((disk, index) =>
      conversionStep({
        ...{ name: `export-disk-${index + 1}`, title: `Write disk ${index + 1} as a compressed vmdk` },
        ...{ driver: 'qcow2', path: disk.path, part: at(disk.file), as: 'vmdk' as const },
        sourceBytes: disk.sourceBytes,
      }),
    ),
    {
      name: 'write-descriptor',
      title: 'Write down what the machine has',
      run: { do: 'write-file', path: at(descriptor), content, mode: 0o644 },
      undo: [{ do: 'remove-file', path: at(descriptor) }],
      look: looks.file(at(descriptor), content),
    },
    {
      name: 'write-manifest',
      title: 'Write the checksums of all of it',
      run: { do: 'write-manifest', folder, files, path: at(manifest) },
      undo: [{ do: 'remove-file', path: at(manifest) }],
      look: looks.fileThere(at(manifest)),
    },
    {
      name: 'pack',
      title: 'Put all of it into one file',
      run: {
        ...{ do: 'exec', program: PROGRAMS.tar, timeoutMs: DAY_MS, follow: true },
        argv: [
          ...['--create', `--format=${tarFormatOf(sourceBytes)}`, '--force-local', '--file', part],
          ...['--directory', folder, '--no-recursion', '--owner=0', '--group=0', '--numeric-owner'],
          ...['--mode=0644', '--', ...files, manifest],
        ],
      },
      undo: [{ do: 'remove-file', path: part }],
      look: { look: 'converted', args: { path: part, sourceBytes: total } },
    },
    ...disks.map(({ file }, index) => remove(`remove-disk-${index + 1}`, at(file))),
    remove('remove-descriptor', at(descriptor)),
    remove('remove-manifest', at(manifest)),
    {
      ...{ name: 'remove-work-folder', title: 'Remove the folder, which is empty now' },
      ...{ run: { do: 'remove-directory', path: folder }, undo: 'nothing' },
      look: not(looks.directory(folder)),
    },
  ];
}
