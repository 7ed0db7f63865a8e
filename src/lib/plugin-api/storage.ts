/** The contract of a storage plugin, version 1. A method is a capability: the core asks `plugin.rename ? ... : ...`. */
import type { Json, JsonObject } from '../shared/json';
import type { DriveRole, Health, MemberStatus, PoolStatus } from '../shared/states';
import type { ChangeVerb, KernelWork, ScrubReading } from '../shared/wire/pool-changes';
import type { Fields } from './fields';
import type { DeviceRef, LookResult, Step } from './plan';

export type { DriveRole } from '../shared/states';
/** Changes of a pool that is there have a method each; {@link StoragePlugin.refusal} says why one does not fit now. */
export type { ChangeVerb, KernelWork, ScrubReading } from '../shared/wire/pool-changes';

export interface PoolDrive {
  /** Stable drive id. */
  id: string;
  serial: string | null;
  label: string;
  sizeBytes: number;
  /** Position in the pool, from 0; never changes. */
  slot: number;
  /** `blank`, or the hash of what sat on it when the plan was made. */
  contentHash: string;
  /** Numbers of the partitions that are on it now; they are erased with it. */
  partitions: number[];
  /** False while the drive is not there: a step cannot address it then. */
  present: boolean;
  /** Default `data`. */
  role?: DriveRole;
}
/** A pool as the user described it, complete: everything random or read is in here before the plan is made. */
export interface PoolSpec {
  /** UUID; the filesystem's UUID too, so that a pool is recognised on any machine. */
  guid: string;
  label: string;
  layout: string;
  /** Validated by the plugin's fields, defaults filled in. */
  options: Record<string, Json>;
  mountPath: string;
  /** True when the mount path was there (and empty) before; then it is not removed on the way back. */
  mountPathExisted: boolean;
  drives: PoolDrive[];
  /**
   * What only the plugin understands of a pool that it did not make itself and has found: UUID of an array, name of a
   * volume group. Kept with the record and given back with every call. Of a pool that Cairn made only `secretsPath`: the
   * file with what was given for the fields that are secrets.
   */
  facts?: Record<string, Json>;
}

export interface Layout {
  id: string;
  title: string;
  description: string;
  minDrives: number;
  /** null: no limit. 0, as `minDrives`: the pool has no drives of this machine. */
  maxDrives: number | null;
  /** How many drives may fail, any of them, without loss, with this many drives. */
  tolerance: (driveCount: number) => number;
}

export interface CommandOutput {
  stdout: string;
  stderr: string;
  exitCode: number;
}
/**
 * How a program that reads commands from its standard input (virsh without a command) is asked over one start of it. It is
 * only for questions that change nothing, and for answers that come at once.
 */
export interface Talk {
  /** Words that start it, ready for commands. */
  argv: string[];
  /**
   * The line that has it write `begin`, its answer and `end`, one after the other. Such a program may write the line itself
   * too, so neither of them may be in it in one piece.
   */
  line: (begin: string, end: string) => string;
}
/** The narrow doorway of a plugin. Nothing in it changes the machine: changes are steps of plans. */
export interface PluginContext {
  /**
   * Runs one of the plugin's declared programs for reading, C locale, no shell.
   * @param options.talk the same question for one that runs already; without a plain answer of it the program is started
   * @throws AppError command_not_allowed, program_missing, command_failed (exit code not in okExitCodes), command_timeout
   */
  read(
    program: string,
    argv: string[],
    options?: { timeoutMs?: number; okExitCodes?: number[]; talk?: Talk },
  ): Promise<CommandOutput>;
  /** Present path of a drive, partition, array or mapped device; null while it is not there. */
  path(ref: DeviceRef): string | null;
  /** Every drive that is there now: for `find`. */
  drives(): { id: string; path: string; serial: string | null; sizeBytes: number; partitions: number[] }[];
  /** Stable id of the drive under a device path such as /dev/sda1; null when it is none of ours. */
  driveIdOf(path: string): string | null;
  /** blkid's low-level probe, never from a cache; null: nothing recognised. */
  probe(path: string): Promise<{ type: string; uuid: string | null; label: string | null } | null>;
  mounts(): { path: string; source: string; filesystem: string; majorMinor: string; readOnly: boolean }[];
  /** Can the running kernel mount filesystems of this type: built in, loaded, or there as a module? */
  hasFilesystem(type: string): boolean;
  /** statfs of a mounted path. */
  usage(path: string): Promise<{ sizeBytes: number; usedBytes: number; availableBytes: number }>;
  signal: AbortSignal;
  log: (message: string, data?: JsonObject) => void;
}

export interface MemberReading {
  driveId: string;
  status: MemberStatus;
  detail: string | null;
}
export interface PoolReading {
  poolStatus: PoolStatus;
  health: Health;
  /** What a person should know and do; null when healthy. */
  healthText: string | null;
  mounted: boolean;
  sizeBytes: number | null;
  usedBytes: number | null;
  availableBytes: number | null;
  members: MemberReading[];
  /** Absent or empty: the kernel does nothing with it now. */
  work?: KernelWork[];
  /** null: never scrubbed. Absent: the plugin cannot tell. */
  lastScrub?: ScrubReading | null;
}

/** A pool that is on drives, as its own superblocks tell it; nothing was changed to learn it. */
export interface FoundPool {
  /** Names it on this machine and every other: UUID of the filesystem, array or volume group, or the pool's own GUID. */
  key: string;
  /** The GUID it has, or gets when it is adopted (`derivedUuid` of the key when it has no UUID of its own). */
  guid: string;
  label: string;
  /** A layout of this plugin; null: it is something that Cairn shows, and cannot adopt. */
  layout: string | null;
  options: Record<string, Json>;
  facts: Record<string, Json>;
  members: { driveId: string; slot: number; role: DriveRole; status: MemberStatus }[];
  /** Members that are not there, by what is known of them. */
  missing: { slot: number; text: string }[];
  sizeBytes: number | null;
  /** For people: "md RAID 1 array "tank" with ext4". */
  description: string;
  /** Made by a Cairn (its identity file or its names say so). */
  byCairn: boolean;
  /** Where it is mounted now; null: nowhere. */
  mountedAt: string | null;
  /** Why it cannot be adopted as it is, and what would help; null: it can. */
  obstacle: string | null;
  /** Why nobody can look inside as it is; absent or null: one can. */
  sealed?: string | null;
}

/** What is wrong with the value of one option, and what would be right. */
export interface OptionProblem {
  option: string;
  message: string;
  remedy: string;
}

export interface PeekPlan {
  open: Step[];
  close: Step[];
}

/** A point in time of a pool's content, as the tools show it. */
export interface SnapshotReading {
  /** Name within the pool; made by Cairn: as the user gave it. */
  name: string;
  createdAt: number | null;
  readOnly: boolean;
  /** Space that would be free without it; null: the tool does not say. */
  exclusiveBytes: number | null;
  /** Folder where its files can be read; null: not mounted. */
  path: string | null;
}
export interface PoolUsage {
  sizeBytes: number;
  usedBytes: number;
  availableBytes: number;
}
/**
 * A program that says a line whenever something may have changed in the plugin's pools; each is a reason to look again.
 * Started again when it ends.
 */
export interface Watch {
  /** One of the plugin's programs. */
  program: string;
  argv: string[];
  /** It is started once this path is there (a kernel module: `/sys/module/zfs`). */
  needs: string;
}
export type Availability = { available: true } | { available: false; reason: string; remedy: string };

export interface StoragePlugin {
  api: 1;
  kind: 'storage';
  /** kebab-case; also the folder's name. */
  id: string;
  name: string;
  version: string;
  description: string;
  /** Not proven in every layout and failure yet: offered after the others and never chosen by itself. */
  young?: true;
  /** Absolute paths of every program it runs, in steps or for reading. Nothing else can be run. */
  programs: string[];
  layouts: Layout[];
  options: Fields;
  /** Smallest drive it can use, bytes. */
  minimumDriveBytes: number;
  /** Are the programs and the kernel's support here? Changes nothing. */
  check(context: PluginContext): Promise<Availability>;
  /** Pure; the form shows it live. */
  usableBytes(request: { layout: string; options: Record<string, Json>; driveSizesBytes: number[] }): number;
  /** Pure. Steps from drives (blank or with content to be erased) to a mounted pool. */
  create(spec: PoolSpec): Step[];
  /** Pure. Steps from a mounted or unmounted pool to blank drives. */
  destroy(spec: PoolSpec): Step[];
  /**
   * What the type of a field cannot say: everything that is wrong with the options of a layout. Of secrets only the names of
   * those that were given are told. Pure.
   */
  problems?(request: { layout: string; options: Record<string, Json>; secrets: string[] }): OptionProblem[];
  /** For pools without drives: where their content is, as people write it (`nas:/srv/media`). Pure. */
  sourceOf?(spec: PoolSpec): string;
  /** Nothing tells of a change in its pools: each is asked anew after so many milliseconds. */
  pollMs?: number;
  mount?(spec: PoolSpec): Step[];
  unmount?(spec: PoolSpec): Step[];
  /** Steps that carry a new label to the filesystem and the identity file; run while mounted. */
  rename?(spec: PoolSpec, newLabel: string): Step[];
  /** The roles, besides `data`, that a drive may have in its pools. */
  roles?: DriveRole[];
  /**
   * Why a change does not fit this pool now ("a stripe has no second copy to rebuild from"); null: it fits. Pure. Asked
   * only for verbs whose method is there; once more with the member that is meant, when one has been named.
   */
  refusal?(verb: ChangeVerb, spec: PoolSpec, reading: PoolReading | null, member?: PoolDrive): string | null;
  /** More drives and all of their space. `added` have the next slots. Pure, as are all that give steps. */
  expand?(spec: PoolSpec, change: { added: PoolDrive[] }): Step[];
  /** `fresh` has the slot of `old`; redundancy never falls below what it is now while `old` is present. */
  replace?(spec: PoolSpec, change: { old: PoolDrive; fresh: PoolDrive }): Step[];
  /** Smallest drive that can take the place of `old`, bytes; without it the size of `old`. */
  replacementBytes?(spec: PoolSpec, old: PoolDrive): number;
  /** Moves what is on a drive to the others, then lets it go, erased. */
  removeDrive?(spec: PoolSpec, change: { drive: PoolDrive }): Step[];
  /** A drive with another role than data: spare, cache, log. `drive.role` says which. */
  addDrive?(spec: PoolSpec, change: { drive: PoolDrive }): Step[];
  /** A member that was away and is back. */
  reAdd?(spec: PoolSpec, change: { drive: PoolDrive }): Step[];
  startScrub?(spec: PoolSpec): Step[];
  stopScrub?(spec: PoolSpec): Step[];
  startBalance?(spec: PoolSpec): Step[];
  stopBalance?(spec: PoolSpec): Step[];
  /** Counters of errors that its tools keep for ever begin at zero again, so that what happens afterwards is seen as new. */
  clearErrors?(spec: PoolSpec): Step[];
  /** Steps that let go of the pool and keep its data: unmount and stop. Without it `unmount` is used. */
  release?(spec: PoolSpec): Step[];
  /** Pools of this plugin on the drives of this machine, ours or not. Changes nothing, assembles nothing. */
  find?(context: PluginContext): Promise<FoundPool[]>;
  /**
   * The key under which `find` lists this pool, for tools whose pools can be given another name in a shell: then it is
   * still known. Without it the GUID tells. Pure.
   */
  keyOf?(spec: PoolSpec): string;
  /**
   * Steps that make the files of a pool readable at `mountPath` (an empty folder, there already) with nothing written to
   * any drive, no journal replayed, and those that end it again. Pure; see `sdk.mountReadOnly`.
   */
  peek?(spec: PoolSpec): PeekPlan;
  snapshots?: {
    list(context: PluginContext, spec: PoolSpec): Promise<SnapshotReading[]>;
    /** Why this pool cannot have snapshots, or cannot be rolled back, as it is now, and what would help; null: it can. */
    obstacle?(context: PluginContext, spec: PoolSpec, verb: 'create' | 'roll-back'): Promise<string | null>;
    /** Space that would be free without one of them, where the list does not say it: it may take long. */
    measure?(context: PluginContext, spec: PoolSpec, snapshot: { name: string }): Promise<number>;
    create(spec: PoolSpec, snapshot: { name: string }): Step[];
    destroy(spec: PoolSpec, snapshot: { name: string }): Step[];
    /** The pool's content becomes that of the snapshot. What was there before is kept as the snapshot `keepAs`. */
    rollBack(spec: PoolSpec, snapshot: { name: string; keepAs: string }): Step[];
  };
  /** What the tools say now. Unknown output is an error (AppError parse_failed), never "nothing there". */
  status(context: PluginContext, spec: PoolSpec): Promise<PoolReading>;
  /**
   * Used space while the pool is mounted, asked every few seconds while somebody looks; null: it cannot be told now.
   * Without it statfs tells, which is right unless the call may never come back or does not count everything.
   */
  usage?(context: PluginContext, spec: PoolSpec): Promise<PoolUsage | null>;
  watch?: Watch;
  /** Looks of its own, used by its steps as `<id>/<name>`. They change nothing. */
  looks?: Record<string, (context: PluginContext, args: JsonObject) => Promise<LookResult>>;
}

/** Gives a plugin its types; returns it unchanged. */
export const defineStoragePlugin = <P extends StoragePlugin>(plugin: P): P => plugin;
