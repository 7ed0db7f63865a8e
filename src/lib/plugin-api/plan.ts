/**
 * A plan is data: named steps, each with how to act, how to look and how to undo. The same rows are shown before
 * ("these exact commands, on these serials"), hashed, journaled, exported as a script, run and undone, also by a later
 * version of the code. Nothing in here touches the machine.
 */
import type { JsonObject } from '../shared/json';
import type { Checksum, ContentAction } from './content-actions';
import type { ReleaseAction } from './release-actions';

/** Plugins import nothing but this folder: what they need of the shared types is here too. */
export type { Json, JsonObject } from '../shared/json';
export type * from './content-actions';
export type * from './release-actions';

/** A drive by its stable id, or one of its partitions. Becomes a /dev path right before the act, after a check of identity. */
export interface DriveRef {
  drive: string;
  partition?: number;
}
/** An md array by the UUID in its superblock (8-4-4-4-12); its kernel name (md127) means nothing. */
export interface ArrayRef {
  array: string;
}
/** A device-mapper device by its name: an LVM volume (`group-volume`, dashes doubled) or an unlocked LUKS container. */
export interface MappedRef {
  mapped: string;
}
export type DeviceRef = DriveRef | ArrayRef | MappedRef;
/** What is no block device: a ZFS dataset, an NFS export, an SMB share; given to mount(8) as it is. */
export interface NamedSource {
  source: string;
}
export type Argument = string | DeviceRef;

export const isDriveRef = (value: Argument | NamedSource): value is DriveRef =>
  typeof value === 'object' && 'drive' in value;

/** A piece of a whole drive, counted from its start. */
export interface Area {
  offsetBytes: number;
  lengthBytes: number;
}

export interface ExecAction {
  do: 'exec';
  /** Absolute path, for example /usr/sbin/mkfs.ext4; must be in the plugin's `programs`. */
  program: string;
  argv: Argument[];
  /** Written to the program's standard input, which is then closed. Never a secret: it is journaled. */
  stdin?: string;
  /** Default 120,000. */
  timeoutMs?: number;
  /** Exit codes that mean success; default [0]. */
  okExitCodes?: number[];
  /**
   * It takes long (moving what is on a drive): meanwhile the step's look is asked how far it is, and after a crash of
   * Cairn the program is ended and begun again rather than waited for; so it has to go on from where it was.
   */
  follow?: true;
}
/** Takes this much memory and gives it back, then makes the empty file `into`. Of the core only. */
export interface TryMemoryAction {
  do: 'try-memory';
  bytes: number;
  into: string;
}
export type Action =
  | ExecAction
  | TryMemoryAction
  | ContentAction
  | ReleaseAction
  | { do: 'make-directory'; path: string; mode: number }
  /** Refuses a directory that is not empty, so it can never take user data. */
  | { do: 'remove-directory'; path: string }
  /** The folder itself, not what is mounted there: while it is on, nobody can write into it. */
  | { do: 'set-immutable'; path: string; on: boolean }
  /**
   * rename(2), within one mount: never copies, never replaces what is not an empty folder. Between subvolumes of a btrfs
   * it moves subvolumes only. Done already (`from` is gone, `path` is there): no error. `name-file` never replaces anything.
   */
  | { do: 'move-directory'; from: string; path: string }
  | { do: 'name-file'; from: string; path: string }
  | {
      do: 'mount';
      source: DeviceRef | NamedSource;
      path: string;
      filesystem: string;
      options: string[];
      /**
       * Every drive of a filesystem over several drives (btrfs): the kernel is told of these and asks nobody else. With
       * `uuid` only of those that carry it at that moment: in the middle of a change one may have left or not joined yet.
       */
      devices?: DriveRef[];
      uuid?: string;
    }
  | { do: 'unmount'; path: string }
  /** Atomic: temporary file, fsync, rename, fsync of the directory. */
  | { do: 'write-file'; path: string; content: string; mode: number }
  | { do: 'remove-file'; path: string }
  /** Writes into the file `into` what is in the folder: see inside.ts. Follows no links and changes nothing in the folder. */
  | { do: 'list-folder'; path: string; into: string }
  /** What a download has left, whole or in part. */
  | { do: 'remove-download'; path: string }
  | { do: 'make-sparse-file'; path: string; sizeBytes: number }
  /** Attaches a sandbox file to a loop device and shows its partitions; `detach-loop` is the way back. */
  | { do: 'attach-loop'; path: string }
  | { do: 'detach-loop'; path: string }
  /** Waits until the partition's device node is there (kernel and udev need a moment after a new table). */
  | { do: 'reread-partitions'; drive: string }
  | { do: 'forget-partitions'; drive: string }
  /**
   * The kernel forgets the btrfs that it has seen on these drives or partitions. It remembers erased ones too, and takes a
   * filesystem of the same UUID on another drive for a copy then. Those that are not there are left out.
   */
  | { do: 'forget-btrfs'; at: DriveRef[] }
  /** Copies pieces of a whole drive into a file (mode 0600) that is complete or not there. Nothing else may use the drive. */
  | { do: 'save-areas'; drive: string; path: string; areas: Area[]; partitions: number[] }
  /** Writes them back; refused when anything but an erasure has happened there since. */
  | { do: 'write-areas'; drive: string; path: string }
  /** Reads at random places until the time (milliseconds since the epoch), so that the drive's light blinks. */
  | { do: 'blink'; drive: string; sizeBytes: number; rotational: boolean | null; untilMs: number }
  /** The light at the drive's bay, where its enclosure has one. */
  | { do: 'set-locate'; drive: string; on: boolean }
  /**
   * Ends this very process while it uses something at or below the path: TERM, after `graceMs` KILL. Of the core: a
   * plugin's plan that has it is refused.
   */
  | { do: 'end-process'; pid: number; startTicks: number; bootId: string; path: string; graceMs: number }
  /** Does nothing: the step's look says `running` while the kernel is at it (rebuild, reshape), and is waited for. */
  | { do: 'wait' };

/**
 * What is there now, compared with what the step wants.
 * done: the wanted effect is complete. absent: nothing of it is there. partial: an unfinished piece of this very step.
 * running: somebody is at it now (kernel work or an orphaned command). foreign: something else is there that must not be touched.
 */
export type LookStatus = 'done' | 'absent' | 'partial' | 'running' | 'foreign';
export interface LookResult {
  status: LookStatus;
  /** One sentence of evidence: what was seen, in the user's nouns. */
  evidence: string;
  /** While running, or while this step is at it: how far it is, 0 to 100. */
  percent?: number;
}
export interface Look {
  /** A core look, or `<plugin id>/<name>` for one of the plugin's own. */
  look: string;
  args: JsonObject;
  /** The step removes what the look describes: done and absent change places. */
  negate?: true;
  /** What it describes may be over before it can be seen (a scrub of an empty pool): after the act, absent is fine too. */
  fleeting?: true;
  /**
   * A reboot undoes what it describes (mounted, assembled, imported): a step that is done is looked at again after one,
   * and done again when it has to be, before its operation goes on or is taken back. Never on a step that destroys.
   */
  untilReboot?: true;
}

export interface Step {
  /** Stable, kebab-case, unique in the plan: `make-filesystem`. */
  name: string;
  /** For people: "Make an ext4 filesystem". */
  title: string;
  run: Action;
  /**
   * In the order to be done. An empty list: it stops where it was when it is cancelled, and there is no way back once it has
   * its effect. 'nothing': taking back another step removes it, or it may stay. 'impossible': what it destroyed is gone.
   */
  undo: Action[] | 'nothing' | 'impossible';
  look: Look;
  /** Ids of the drives whose content this step destroys. Their identity is re-checked right before. */
  destroys?: string[];
}

/** Core looks and their arguments. */
export const looks = {
  /** A filesystem of this type and UUID is on the drive, partition, array or mapped device. */
  filesystem: (at: DeviceRef, type: string, uuid: string): Look => ({
    look: 'filesystem',
    args: isDriveRef(at)
      ? { drive: at.drive, partition: at.partition ?? 0, type, uuid }
      : { ...at, type, uuid },
  }),
  /** The drive's GPT has this disk GUID and exactly these partition GUIDs. */
  partitionTable: (drive: string, diskUuid: string, partitionUuids: string[]): Look => ({
    look: 'partition-table',
    args: { drive, diskUuid, partitionUuids },
  }),
  /** The kernel shows the node of this partition. */
  partitionNode: (drive: string, partition: number): Look => ({
    look: 'partition-node',
    args: { drive, partition },
    untilReboot: true,
  }),
  /** blkid and wipefs find nothing on the drive and it has no partitions. Content other than `contentHash` is foreign. */
  blank: (drive: string, contentHash: string): Look => ({ look: 'blank', args: { drive, contentHash } }),
  /**
   * No signature is left on the drive or its partitions; partition nodes that the kernel still shows do not matter.
   * absent: the content is still `contentHash`; anything else is foreign.
   */
  erased: (drive: string, contentHash: string): Look => ({ look: 'erased', args: { drive, contentHash } }),
  /** The file says who the pool is: exactly this content. What an earlier state of the same pool wrote is absent. */
  identity: (path: string, content: string): Look => ({ look: 'identity', args: { path, content } }),
  directory: (path: string): Look => ({ look: 'directory', args: { path } }),
  /** Nobody can write into the folder itself (on), or everybody as before (off), also while something is mounted there. */
  immutable: (path: string, on: boolean): Look => ({ look: 'immutable', args: { path, on } }),
  /** The filesystem with this UUID is mounted at the path; another one there is foreign. */
  mounted: (path: string, uuid: string): Look => ({
    look: 'mounted',
    args: { path, uuid },
    untilReboot: true,
  }),
  /** For what has no UUID (ZFS dataset, network share): this source is mounted at the path; another one is foreign. */
  mountedFrom: (path: string, source: string): Look => ({
    look: 'mounted-from',
    args: { path, source },
    untilReboot: true,
  }),
  /** The file has exactly this content. `replaces` is the content that the step changes; any other is foreign. */
  file: (path: string, content: string, replaces?: string): Look => ({
    look: 'file',
    args: { path, content, ...(replaces === undefined ? {} : { replaces }) },
  }),
  /** A file is there, whatever is in it. */
  fileThere: (path: string): Look => ({ look: 'file-there', args: { path } }),
  /** The folder holds exactly this tree of files, by its SHA-256; another one is foreign. Of the core. */
  tree: (path: string, sha256: string): Look => ({ look: 'tree', args: { path, sha256 } }),
  /** The file holds exactly these areas of the drive, undamaged. */
  areasSaved: (drive: string, path: string, areas: Area[]): Look => ({
    look: 'areas-saved',
    args: { drive, path, areas: areas.map((area) => ({ ...area })) },
  }),
  /** No signature is left. absent: the content is still `contentHash`; partial: erased in part; else foreign. */
  areasErased: (drive: string, path: string, contentHash: string): Look => ({
    look: 'areas-erased',
    args: { drive, path, contentHash },
  }),
  /** The areas saved in the file are on the drive. absent: they are as saved but for zeroes; else foreign. */
  areasWritten: (drive: string, path: string): Look => ({ look: 'areas-written', args: { drive, path } }),
  /** The time is over (milliseconds since the epoch), or the drive was pulled. */
  blinked: (drive: string, untilMs: number): Look => ({ look: 'blinked', args: { drive, untilMs } }),
  /** The light at the drive's bay is on. */
  locateLit: (drive: string): Look => ({ look: 'locate-lit', args: { drive } }),
  /** A self-test runs, or has ended with a result since the drive's log was as `log` says. */
  selfTestStarted: (drive: string, log: string): Look => ({
    look: 'self-test-started',
    args: { drive, log },
  }),
  /** running, with percent, while the drive tests itself; done: it has ended, well or not. */
  selfTestEnded: (drive: string, log: string): Look => ({ look: 'self-test-ended', args: { drive, log } }),
  /** The kernel tells nobody what it remembers: absent as long as one of the places is there. Fleeting, for `forget-btrfs`. */
  btrfsForgotten: (at: DriveRef[]): Look => ({
    look: 'btrfs-forgotten',
    args: { at: at.map((ref) => ({ ...ref })) },
    fleeting: true,
  }),
  /** The file is there, whole: of the size and with the checksum, as far as they are known. partial: a piece of it is. */
  downloaded: (path: string, sizeBytes: number | null, checksum: Checksum | null): Look => ({
    look: 'downloaded',
    args: { path, sizeBytes, checksum: checksum && { ...checksum } },
  }),
  /** The folder holds a version, made from the archive of this SHA-256. Of the core, as the next four. */
  release: (path: string, sha256: string): Look => ({ look: 'release', args: { path, sha256 } }),
  /** The link leads to `target`; absent: to `before`, or it is not there. */
  link: (path: string, target: string, before: string): Look => ({
    look: 'link',
    args: { path, target, before },
  }),
  /** This process runs from the folder. */
  runsFrom: (path: string): Look => ({ look: 'runs-from', args: { path } }),
  /** The operation that holds this lock is alone. */
  alone: (lock: string): Look => ({ look: 'alone', args: { lock } }),
  sparseFile: (path: string, sizeBytes: number): Look => ({ look: 'sparse-file', args: { path, sizeBytes } }),
  /** The process has ended, or uses nothing at or below the path any more. */
  processEnded: (process: { pid: number; startTicks: number; bootId: string }, path: string): Look => ({
    look: 'process-ended',
    args: { ...process, path },
  }),
  loopAttached: (path: string): Look => ({ look: 'loop-attached', args: { path }, untilReboot: true }),
} as const;

export const not = (look: Look): Look => {
  const { negate, ...rest } = look;
  return negate ? rest : { ...rest, negate: true };
};
