/**
 * Steps that storage plugins share. Pure: they describe, the core acts.
 *
 * Every step is made so that its look tells the truth after a kill at any moment: before the act it says absent, after it
 * done, and what only half happened is either absent (nothing of it can be seen) or partial (the undo removes it).
 * A step that removes something carries the negated look of the step that made it, so that whatever is not ours is
 * foreign and stops the plan before it is touched.
 */
import { v5 } from 'uuid';
import {
  isDriveRef,
  looks,
  not,
  type Action,
  type DeviceRef,
  type DriveRef,
  type Look,
  type NamedSource,
  type Step,
} from './plan';
import type { PoolDrive, PoolSpec } from './storage';

export const WIPEFS = '/usr/sbin/wipefs';
/** No device nodes and no set-uid programs are taken from a pool: it may have been written by another machine. */
export const MOUNT_OPTIONS = ['noatime', 'nodev', 'nosuid'];

/** The same UUID for the same pool and name, on every machine: version 5, with the pool's GUID as namespace. */
export const derivedUuid = (guid: string, name: string): string => v5(name, guid);

/**
 * A filesystem's label, made from the pool's by a strict map: ASCII letters, digits, dot, underscore and dash; never a
 * leading dash (it would read as an option), never empty, never longer than the filesystem takes.
 */
export function filesystemLabel(label: string, maxLength: number): string {
  const ascii = label
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[-_.]+/, '')
    .slice(0, maxLength)
    .replace(/_+$/, '');
  return ascii === '' ? 'cairn' : ascii;
}

export const driveName = (drive: PoolDrive): string => drive.serial ?? drive.label;
export const wipeAction = (...at: DeviceRef[]): Action => ({
  do: 'exec',
  program: WIPEFS,
  argv: ['--all', '--', ...at],
});

/**
 * Erases every signature of a drive that has content; nothing for a blank one. Partitions come first: a filesystem in one
 * would be found again by the next partition that begins at the same place. What was there is gone: no undo.
 */
export function wipeDrive(drive: PoolDrive): Step[] {
  if (drive.contentHash === 'blank') return [];
  const partitions = drive.partitions.toSorted((a, b) => a - b);
  const [first] = partitions;
  const erase: Step = {
    name: `erase-drive-${drive.slot}`,
    title: `Erase what is on drive ${driveName(drive)}`,
    run: wipeAction(...partitions.map((partition) => ({ drive: drive.id, partition })), { drive: drive.id }),
    undo: 'impossible',
    look:
      first === undefined
        ? looks.blank(drive.id, drive.contentHash)
        : looks.erased(drive.id, drive.contentHash),
    destroys: [drive.id],
  };
  if (first === undefined) return [erase];
  // wipefs asks the kernel to read the table again; a kernel without a parser for it keeps the old nodes.
  const forget: Step = {
    name: `forget-old-partitions-${drive.slot}`,
    title: `Let the system forget the old partitions of drive ${driveName(drive)}`,
    run: { do: 'forget-partitions', drive: drive.id },
    undo: 'nothing',
    look: not(looks.partitionNode(drive.id, first)),
  };
  return [erase, forget];
}

/**
 * A mkfs over one or more places. Its undo erases the signatures that it may have written, a command for each place: a
 * drive that left in the middle does not keep the others from being cleaned.
 */
export const makeFilesystem = (options: {
  title: string;
  run: Action;
  at: DeviceRef[];
  look: Look;
}): Step => ({
  name: 'make-filesystem',
  title: options.title,
  run: options.run,
  undo: options.at.map((ref) => wipeAction(ref)),
  look: options.look,
  destroys: [...new Set(options.at.filter(isDriveRef).map((ref) => ref.drive))],
});

/** Erases a filesystem's signatures at one place. Another filesystem there is foreign, and stays. */
export const wipeFilesystem = (options: {
  name?: string;
  title: string;
  at: DeviceRef;
  type: string;
  uuid: string;
}): Step => ({
  name: options.name ?? 'erase-filesystem',
  title: options.title,
  run: wipeAction(options.at),
  undo: 'impossible',
  look: not(looks.filesystem(options.at, options.type, options.uuid)),
  ...(isDriveRef(options.at) ? { destroys: [options.at.drive] } : {}),
});

/** After the signatures of a btrfs were erased: see the action. */
export const forgetBtrfs = (at: DriveRef[]): Step[] =>
  at.length === 0
    ? []
    : [
        {
          name: 'forget-btrfs',
          title: `Let the kernel forget the btrfs that was on ${at.length === 1 ? 'the drive' : `${at.length} drives`}`,
          run: { do: 'forget-btrfs', at },
          undo: 'nothing',
          look: looks.btrfsForgotten(at),
        },
      ];

const MOUNT_POINT_MODE = 0o755;
const guard = (path: string, on: boolean): Action => ({ do: 'set-immutable', path, on });

/**
 * The folder, and nobody can write into it while the pool is not mounted there. One that was there before is the user's,
 * and stays when the pool goes.
 */
export function makeMountPoint(spec: PoolSpec): Step[] {
  const path = spec.mountPath;
  const make: Step = {
    name: 'make-mount-point',
    title: `Make the folder ${path}`,
    run: { do: 'make-directory', path, mode: MOUNT_POINT_MODE },
    undo: [{ do: 'remove-directory', path }],
    look: looks.directory(path),
  };
  const protect: Step = {
    name: 'protect-mount-point',
    title: 'Let nobody write into the folder while nothing is mounted there',
    run: guard(path, true),
    undo: [guard(path, false)],
    look: looks.immutable(path, true),
  };
  return [...(spec.mountPathExisted ? [] : [make]), protect];
}

export function removeMountPoint(spec: PoolSpec): Step[] {
  const path = spec.mountPath;
  const unprotect: Step = {
    name: 'unprotect-mount-point',
    title: 'Let the folder be changed again',
    run: guard(path, false),
    undo: [guard(path, true)],
    look: looks.immutable(path, false),
  };
  const remove: Step = {
    name: 'remove-mount-point',
    title: `Remove the empty folder ${path}`,
    run: { do: 'remove-directory', path },
    undo: [{ do: 'make-directory', path, mode: MOUNT_POINT_MODE }],
    look: not(looks.directory(path)),
  };
  return [unprotect, ...(spec.mountPathExisted ? [] : [remove])];
}

export interface MountedFilesystem {
  source: DeviceRef | NamedSource;
  /** See the mount action. */
  devices?: DriveRef[];
  /** As mount(8) names it. */
  filesystem: string;
  /** Further options after noatime, nodev, nosuid. */
  options?: string[];
}
export const mountAction = (spec: PoolSpec, what: MountedFilesystem): Action => ({
  do: 'mount',
  source: what.source,
  path: spec.mountPath,
  filesystem: what.filesystem,
  options: [...MOUNT_OPTIONS, ...(what.options ?? [])],
  ...(what.devices ? { devices: what.devices, uuid: spec.guid } : {}),
});

/** What has no UUID that blkid can read (ZFS, network shares) is told by its source. */
export const mountedLook = (spec: PoolSpec, what: MountedFilesystem): Look =>
  'source' in what.source
    ? looks.mountedFrom(spec.mountPath, what.source.source)
    : looks.mounted(spec.mountPath, spec.guid);

export const mountFilesystem = (spec: PoolSpec, what: MountedFilesystem): Step => ({
  name: 'mount',
  title: `Mount it at ${spec.mountPath}`,
  run: mountAction(spec, what),
  undo: [{ do: 'unmount', path: spec.mountPath }],
  look: mountedLook(spec, what),
});

export const unmountFilesystem = (spec: PoolSpec, what: MountedFilesystem): Step => ({
  name: 'unmount',
  title: `Unmount ${spec.mountPath}`,
  run: { do: 'unmount', path: spec.mountPath },
  undo: [mountAction(spec, what)],
  look: not(mountedLook(spec, what)),
});
