/** A machine that begins as the one in an OVA: its disks are copied from where they lie in the file, after their checksums were compared. */
import { posix } from 'node:path';
import { looks, not, type DigestPiece, type Step } from '$lib/plugin-api/plan';
import type { VmSpec } from '$lib/plugin-api/vm';
import type { VmPackedDisk } from '$lib/plugin-api/vm-extras';
import { imageWithin } from '../host/image-within';
import { inspectOva } from '../host/inspect-ova';
import type { VmDeps } from './deps';

export interface Packed {
  path: string;
  first: VmPackedDisk;
  /** Disk 2 and so on. */
  more: VmPackedDisk[];
  /** Of the disks; empty: its maker has left none. */
  pieces: DigestPiece[];
}

const SECTOR_BYTES = 512;
/** A disk is made of whole sectors. */
export const wholeSectors = (bytes: number): number => Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;

/** Looked into anew: what was known of it may be of another file by now. @throws AppError as `inspectOva` */
export async function readPacked(deps: Pick<VmDeps, 'host'>, path: string): Promise<Packed> {
  const { disks, digests } = await inspectOva(deps.host.commands, path);
  const [first, ...more] = disks.map((disk): VmPackedDisk => ({
    ...{ name: imageWithin(path, disk), how: 'unpack', virtualBytes: wholeSectors(disk.virtualBytes) },
  }));
  if (!first) throw new Error('an OVA without a disk was let through');
  return { path, first, more, pieces: digests };
}

export const packedVolumes = ({ more }: Packed): (VmPackedDisk & { slot: number })[] =>
  more.map((disk, index) => ({ ...disk, slot: index + 2 }));

/** Right after its folder was made: a damaged file is found before anything was copied from it. */
export function withChecks(steps: Step[], packed: Packed | null, { folder }: VmSpec): Step[] {
  if (!packed || packed.pieces.length === 0) return steps;
  const into = posix.join(folder, 'checked');
  const at = steps.findIndex(({ run }) => run.do === 'make-directory' && run.path === folder) + 1;
  const checks: Step[] = [
    {
      name: 'check-package',
      title: 'Compare the checksums of what is in the package',
      run: { do: 'check-digests', path: packed.path, pieces: packed.pieces, into },
      undo: [{ do: 'remove-file', path: into }],
      look: looks.fileThere(into),
    },
    {
      name: 'remove-note',
      title: 'Remove the note that they were right',
      run: { do: 'remove-file', path: into },
      undo: 'nothing',
      look: not(looks.fileThere(into)),
    },
  ];
  return [...steps.slice(0, at), ...checks, ...steps.slice(at)];
}
