/** The doorway to the machine, as the rest of the server sees it. Made in host.ts; nothing else starts a program. */
import type { Drive } from '$lib/shared/wire/drives';
import type { Argument, DeviceRef } from '$lib/plugin-api/plan';
import type { Talk } from '$lib/plugin-api/storage';
import type { Readers } from './readers';
import type { Talks } from './talks';
import type { NodeContent } from './signatures';

export interface CommandOutput {
  stdout: string;
  stderr: string;
  exitCode: number;
}
export interface ReadOptions {
  timeoutMs?: number;
  okExitCodes?: number[];
  signal?: AbortSignal;
  /** Added to the fixed environment. */
  env?: Record<string, string>;
  /** What the program reads from its standard input: for what must not be seen in a list of processes. */
  stdin?: string;
  /** The same question for one that runs already. */
  talk?: Talk;
}

/** Identity of a process that survives our own death: a pid alone may be used again. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/pid/stat, clock ticks since boot (proc(5)). */
  startTicks: number;
  /** /proc/sys/kernel/random/boot_id */
  bootId: string;
}
export interface CommandLine {
  stream: 'stdout' | 'stderr';
  text: string;
  /** Milliseconds since the epoch, taken when the line was read from the program. */
  at: number;
}
export interface CommandEnd {
  exitCode: number | null;
  signal: string | null;
  at: number;
}
export interface SupervisedCommand {
  program: string;
  argv: string[];
  stdin?: string;
  /** Path of a whole drive whose advisory lock is held alone while the program runs. */
  lockDrive?: string;
  timeoutMs: number;
  /** File that the supervisor writes lines and the exit status to; it outlives us. Its folder exists. */
  recordPath: string;
  /** Must commit the identity before it returns: only then may the program act. */
  onStarted: (identity: ProcessIdentity) => void;
  onLine: (line: CommandLine) => void;
  /** It was to be ended and cannot be: it waits for the kernel. `run` settles when it has ended all the same. */
  onStuck?: () => void;
  signal: AbortSignal;
}
/** What the record of a command says, also after we or the machine were gone. */
export interface CommandRecord {
  lines: CommandLine[];
  end: CommandEnd | null;
}

export interface CommandRunner {
  /** Those that look at drives, see locked-read.ts. */
  readers: Readers;
  /** Those that answer over one start. */
  talks: Talks;
  /** Reading only: no journal, killed with us. @throws AppError command_failed | command_timeout | program_missing | command_not_allowed */
  read(program: string, argv: string[], options?: ReadOptions): Promise<CommandOutput>;
  /**
   * Runs a program that changes the machine, in a process group of its own, under a supervisor that outlives us.
   * Abort of `signal` and the timeout end the whole group (TERM, then KILL) before the promise settles.
   * @returns the end, whatever the exit code. @throws AppError command_timeout | cancelled | program_missing
   */
  run(command: SupervisedCommand): Promise<CommandEnd>;
  readRecord(recordPath: string): Promise<CommandRecord>;
  isAlive(identity: ProcessIdentity): boolean;
  /** Ends the group of an orphan: CONT, TERM, after graceMs KILL; resolves when no process of the group is left. */
  endGroup(identity: ProcessIdentity, graceMs?: number, onStuck?: () => void): Promise<void>;
  /** Nothing of the group can run or be ended: all of it waits for the kernel (a drive that does not answer). */
  waitsForKernel(identity: ProcessIdentity): boolean;
  /** Resolves true when the process has ended, false when timeoutMs passed first. */
  waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean>;
}

export interface MountEntry {
  path: string;
  /** Device path or share. */
  source: string;
  filesystem: string;
  majorMinor: string;
  readOnly: boolean;
  options: string[];
}

/** A drive as the machine shows it now: the Drive document without what only the database knows. */
export type BlockDrive = Omit<
  Drive,
  | 'present'
  | 'bayLabel'
  | 'group'
  | 'protection'
  | 'issues'
  | 'pool'
  | 'operationId'
  | 'health'
  | 'wiped'
  | 'setAside'
  | 'identifiedBy'
  | 'firstSeenAt'
  | 'lastSeenAt'
> & {
  kernelName: string;
  path: string;
  /** Holds root, boot, EFI or swap of the running system, or a parent of one. */
  system: boolean;
  /** Attached loop file, for sandbox and foreign loop devices. */
  backingFile: string | null;
  /** What else holds it: swap, device-mapper, md, an exclusive opener. Empty: nobody. */
  usedBy: string[];
};

export interface BlockDevices {
  /** The last inventory; cheap. */
  current(): BlockDrive[];
  /** Reads again. Without names: everything, content included. With names: those drives' content is probed anew. */
  refresh(names?: string[]): Promise<BlockDrive[]>;
  /**
   * One drive, its identity read now.
   * @param since `performance.now()` of a moment: content that was read after it is used, instead of reading it again;
   *   without it content is read now, never from a cache
   * @throws AppError drive_gone | drive_ambiguous
   */
  inspect(driveId: string, since?: number): Promise<BlockDrive>;
  /** What is on a whole drive, read now; its content is known then. null: the path is no whole drive. */
  readWhole(path: string): Promise<NodeContent | null>;
  /** Present path. @throws AppError drive_gone | drive_ambiguous */
  resolve(ref: DeviceRef): string;
  pathOf(ref: DeviceRef): string | null;
  driveIdOf(path: string): string | null;
}

export interface Host {
  commands: CommandRunner;
  blockDevices: BlockDevices;
  mounts(): MountEntry[];
  /** Low-level blkid probe of one device node, never cached. null: nothing recognised. */
  probe(path: string): Promise<{ type: string; uuid: string | null; label: string | null } | null>;
  /** Can the running kernel mount this type, now or by loading a module? */
  hasFilesystem(type: string): boolean;
  usage(path: string): Promise<{ sizeBytes: number; usedBytes: number; availableBytes: number }>;
  /** Processes with a file, directory, root or mapping below the mount point. */
  processesUsing(mountPath: string): Promise<{ pid: number; command: string; user: string; path: string }[]>;
  /** A step's argument as the string that the program gets. */
  argument(argument: Argument): string;
  bootId(): string;
}
