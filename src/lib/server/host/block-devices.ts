/**
 * The inventory of drives. Two speeds: who is there (sysfs, about a millisecond, no program started) and what sits on
 * them (blkid and wipefs, some milliseconds a drive, kept until somebody names the drive as changed).
 */
import { closeSync, constants, existsSync, openSync, realpathSync } from 'node:fs';
import { isDriveRef, type ArrayRef, type DeviceRef, type MappedRef } from '$lib/plugin-api/plan';
import type { MountUse } from '$lib/shared/wire/drives';
import { AppError, toAppError } from '../errors';
import type { Logger } from '../log';
import { contentHash } from './content-hash';
import { identify, type Identity } from './drive-identity';
import { readMounts, readSwaps } from './mounts';
import { readNode, type NodeContent } from './signatures';
import { readBtrfsMembers, readDrives, wholeDevice, type KernelDrive } from './sysfs';
import { devicesOfMount, kernelNameOf, systemDrives } from './system-drives';
import { readVirtualDevices, type VirtualDevice } from './virtual-devices';
import type { BlockDevices, BlockDrive, CommandRunner, MountEntry } from './types';

/** Content hash of a drive whose content has not been read, or could not be: never equal to one that was confirmed. */
export const UNREAD = 'unread';
const PROBES_AT_ONCE = 4;

type Known = KernelDrive & Identity;
interface Content {
  /** By kernel name: the drive and each of its partitions. */
  nodes: Map<string, NodeContent>;
  hash: string;
  /** `performance.now()` when its reading began. */
  started: number;
}
export interface LiveBlockDevices extends BlockDevices {
  /** Reads who is there and what is mounted, not the content. Takes about a millisecond and waits for nothing. */
  scan(): BlockDrive[];
}

/** Asks the kernel for the drive as its only user, and gives it back at once. */
function isHeldExclusively(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL));
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return true;
    throw error;
  }
}

interface Above {
  mountsOf(kernelName: string): MountUse[];
  swap: Set<string>;
  system: Set<string>;
}
function readAbove(): Above {
  const mounts = readMounts();
  const swaps = readSwaps();
  const btrfs = readBtrfsMembers();
  const byName = new Map<string, MountUse[]>();
  for (const mount of mounts.filter((entry) => entry.source.startsWith('/dev/')))
    for (const name of devicesOfMount(mount, btrfs))
      byName.set(name, [...(byName.get(name) ?? []), use(mount)]);
  return {
    mountsOf: (name) => byName.get(name) ?? [],
    swap: new Set(swaps.map(kernelNameOf).filter((name) => name !== null)),
    system: systemDrives(mounts, swaps, btrfs),
  };
}
const use = ({ path, filesystem, readOnly }: MountEntry): MountUse => ({ path, filesystem, readOnly });

function assemble(drive: Known, content: Content | undefined, above: Above): BlockDrive {
  const node = (kernelName: string): NodeContent | undefined => content?.nodes.get(kernelName);
  return {
    id: drive.id,
    identity: drive.identity,
    sandbox: drive.sandbox,
    kernelName: drive.kernelName,
    path: drive.path,
    byId: drive.byId,
    model: drive.model,
    vendor: drive.vendor,
    serial: drive.serial,
    wwn: drive.wwn,
    bus: drive.bus,
    sizeBytes: drive.sizeBytes,
    rotational: drive.rotational,
    logicalSectorBytes: drive.logicalSectorBytes,
    physicalSectorBytes: drive.physicalSectorBytes,
    readOnly: drive.readOnly,
    removable: drive.removable,
    backingFile: drive.backingFile,
    holders: drive.holders,
    system: above.system.has(drive.kernelName),
    usedBy: [drive, ...drive.partitions].flatMap((one) => [
      ...one.holders.map((holder) => `${holder} is built on ${one.kernelName}`),
      ...(above.swap.has(one.kernelName) ? [`swap on ${one.kernelName}`] : []),
    ]),
    signatures: node(drive.kernelName)?.signatures ?? [],
    mounts: above.mountsOf(drive.kernelName),
    partitions: drive.partitions.map(({ number, path, sizeBytes, holders, kernelName }) => ({
      number,
      path,
      sizeBytes,
      uuid: node(kernelName)?.partitionUuid ?? null,
      name: node(kernelName)?.partitionName ?? null,
      signatures: node(kernelName)?.signatures ?? [],
      mounts: above.mountsOf(kernelName),
      holders,
    })),
    probed: content !== undefined,
    contentHash: content?.hash ?? UNREAD,
  };
}

/** Runs at most `limit` at a time; a task that fails does not stop the others. */
async function eachOf<T>(items: T[], limit: number, task: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}

/** Read now; several questions in one turn share the answer: every pool asks, and each array's UUID is in its members. */
let virtual: VirtualDevice[] | null = null;
function virtualDevices(): VirtualDevice[] {
  if (virtual) return virtual;
  queueMicrotask(() => (virtual = null));
  return (virtual = readVirtualDevices());
}
function virtualPath(ref: ArrayRef | MappedRef): string | null {
  const [kind, key] = 'array' in ref ? ['array', ref.array.toLowerCase()] : ['mapped', ref.mapped];
  return virtualDevices().find((device) => device.kind === kind && device.key === key)?.path ?? null;
}
function resolveVirtual(ref: ArrayRef | MappedRef): string {
  const path = virtualPath(ref);
  if (path) return path;
  const name = 'array' in ref ? `array ${ref.array}` : `device ${ref.mapped}`;
  throw new AppError('drive_gone', `The ${name} is not running.`, {
    details: { ...ref },
    remedy: 'Mount the pool: that starts it, if enough of its drives are there.',
  });
}

export function createBlockDevices(options: {
  commands: Pick<CommandRunner, 'readers'>;
  sandboxDir: string;
  log: Logger;
}): LiveBlockDevices {
  const { commands, log } = options;
  const contents = new Map<string, Content>();
  const inFlight = new Map<string, Set<Promise<Content>>>();
  const unreadable = new Set<string>();
  let last: BlockDrive[] = [];

  const sandboxDir = (): string =>
    existsSync(options.sandboxDir) ? realpathSync(options.sandboxDir) : options.sandboxDir;
  const read = (): Known[] => identify(readDrives(), sandboxDir());
  /** Read now; several questions in one turn share the answer. */
  let now: Known[] | null = null;
  function fresh(): Known[] {
    if (now) return now;
    queueMicrotask(() => (now = null));
    return (now = read());
  }
  // A name that another drive or another medium has taken over must not inherit what was read before.
  const keyOf = (drive: Known): string => `${drive.id} ${drive.kernelName} ${drive.sequence}`;

  function scan(): BlockDrive[] {
    const known = read();
    const keys = new Set(known.map(keyOf));
    for (const key of contents.keys()) if (!keys.has(key)) contents.delete(key);
    const above = readAbove();
    last = known.map((drive) => assemble(drive, contents.get(keyOf(drive)), above));
    return last;
  }

  async function readContent(drive: Known): Promise<Content> {
    const started = performance.now();
    const nodes = new Map<string, NodeContent>();
    await Promise.all(
      [drive, ...drive.partitions].map(async ({ kernelName, path }) => {
        nodes.set(kernelName, await readNode(commands, path));
      }),
    );
    return { nodes, started, hash: contentHash(drive, nodes) };
  }

  async function probe(drive: Known): Promise<Content> {
    const reading = readContent(drive);
    const others = inFlight.get(drive.id) ?? new Set();
    inFlight.set(drive.id, others.add(reading));
    const content = await reading.finally(() => {
      others.delete(reading);
      if (others.size === 0) inFlight.delete(drive.id);
    });
    const key = keyOf(drive);
    unreadable.delete(key);
    if ((contents.get(key)?.started ?? 0) < content.started) contents.set(key, content);
    return content;
  }

  async function refresh(names?: string[]): Promise<BlockDrive[]> {
    const wanted = names && new Set(names.map((name) => wholeDevice(name)));
    const drives = read().filter((drive) => !wanted || wanted.has(drive.kernelName));
    await eachOf(drives, PROBES_AT_ONCE, async (drive) => {
      await probe(drive).catch((error: unknown) => {
        // An unreadable drive stays in the list, with its content unknown: that alone keeps it from being used.
        contents.delete(keyOf(drive));
        const { code, message } = toAppError(error);
        log.warn(
          { drive: drive.id, errorCode: code, reason: message },
          'what sits on a drive could not be read',
        );
      });
    });
    return scan();
  }

  function find(drives: Known[], driveId: string): Known {
    const drive = drives.find((one) => one.id === driveId);
    if (drive) return drive;
    const doubles = drives.filter((one) => one.id.startsWith(`${driveId}-at-`));
    if (doubles.length > 0)
      throw new AppError(
        'drive_ambiguous',
        `${doubles.length} drives claim to be ${driveId}: ${doubles.map((one) => one.kernelName).join(', ')}.`,
        { details: { driveId } },
      );
    throw new AppError('drive_gone', `The drive ${driveId} is not plugged in.`, { details: { driveId } });
  }

  function nodePath(drive: Known, partition: number | undefined): string | null {
    if (partition === undefined) return drive.path;
    return drive.partitions.find((one) => one.number === partition)?.path ?? null;
  }

  return {
    scan,
    refresh,
    current: () => last,
    async inspect(driveId, since = Infinity) {
      const drive = find(fresh(), driveId);
      // A device that is open for reading is busy for whoever comes next: nothing of ours may linger.
      await Promise.allSettled([...(inFlight.get(driveId) ?? [])]);
      const known = contents.get(keyOf(drive));
      const content = known && known.started >= since ? known : await probe(drive);
      const shown = assemble(drive, content, readAbove());
      const explained =
        shown.usedBy.length + shown.mounts.length > 0 ||
        shown.partitions.some((partition) => partition.mounts.length > 0);
      if (!explained && isHeldExclusively(drive.path))
        shown.usedBy.push('another program, which holds it for itself');
      return shown;
    },
    async readWhole(path) {
      const drive = fresh().find((one) => one.path === path);
      return drive ? ((await probe(drive)).nodes.get(drive.kernelName) ?? null) : null;
    },
    resolve(ref) {
      if (!isDriveRef(ref)) return resolveVirtual(ref);
      const path = nodePath(find(fresh(), ref.drive), ref.partition);
      if (path) return path;
      throw new AppError('drive_gone', `Partition ${ref.partition} of ${ref.drive} is not there.`, {
        details: { driveId: ref.drive, partition: ref.partition ?? 0 },
        remedy: 'Look at the partitions of the drive; something changed them.',
      });
    },
    pathOf(ref: DeviceRef) {
      if (!isDriveRef(ref)) return virtualPath(ref);
      const drive = fresh().find((one) => one.id === ref.drive);
      return drive ? nodePath(drive, ref.partition) : null;
    },
    driveIdOf(path) {
      const name = kernelNameOf(path);
      const drive = name === null ? null : wholeDevice(name);
      return (drive && fresh().find((one) => one.kernelName === drive)?.id) ?? null;
    },
  };
}
