/** The contract of a storage plugin, version 1. A method is a capability: the core asks `plugin.rename ? ... : ...`. */
import type { Json, JsonObject } from '../shared/json';
import type { Health, MemberStatus, PoolStatus } from '../shared/states';
import type { Fields } from './fields';
import type { DriveRef, LookResult, Step } from './plan';

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
}

export interface Layout {
  id: string;
  title: string;
  description: string;
  minDrives: number;
  /** null: no limit */
  maxDrives: number | null;
  /** How many drives may fail, any of them, without loss, with this many drives. */
  tolerance: (driveCount: number) => number;
}

export interface CommandOutput {
  stdout: string;
  stderr: string;
  exitCode: number;
}
/** The narrow doorway of a plugin. Nothing in it changes the machine: changes are steps of plans. */
export interface PluginContext {
  /**
   * Runs one of the plugin's declared programs for reading, C locale, no shell.
   * @throws AppError command_not_allowed, program_missing, command_failed (exit code not in okExitCodes), command_timeout
   */
  read(
    program: string,
    argv: string[],
    options?: { timeoutMs?: number; okExitCodes?: number[] },
  ): Promise<CommandOutput>;
  /** Present path of a drive or partition; null while it is not there. */
  path(ref: DriveRef): string | null;
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
  mount?(spec: PoolSpec): Step[];
  unmount?(spec: PoolSpec): Step[];
  /** Steps that carry a new label to the filesystem and the identity file; run while mounted. */
  rename?(spec: PoolSpec, newLabel: string): Step[];
  /** What the tools say now. Unknown output is an error (AppError parse_failed), never "nothing there". */
  status(context: PluginContext, spec: PoolSpec): Promise<PoolReading>;
  /** Looks of its own, used by its steps as `<id>/<name>`. They change nothing. */
  looks?: Record<string, (context: PluginContext, args: JsonObject) => Promise<LookResult>>;
}

/** Gives a plugin its types; returns it unchanged. */
export const defineStoragePlugin = <P extends StoragePlugin>(plugin: P): P => plugin;
