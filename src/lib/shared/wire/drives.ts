import type { Issue } from '../error-codes';

/** A signature that blkid or the partition table shows on a drive or a partition. */
export interface Signature {
  /** `ext4`, `btrfs`, `xfs`, `linux_raid_member`, `LVM2_member`, `gpt`, `dos`, `zfs_member`, `swap`, ... as blkid names it. */
  type: string;
  usage: 'filesystem' | 'raid' | 'crypto' | 'partition-table' | 'other';
  uuid: string | null;
  label: string | null;
}
export interface MountUse {
  path: string;
  filesystem: string;
  readOnly: boolean;
}
export interface Partition {
  number: number;
  path: string;
  sizeBytes: number;
  /** PARTUUID */
  uuid: string | null;
  name: string | null;
  signatures: Signature[];
  mounts: MountUse[];
  /** Kernel names of devices built on top (md127, dm-0). */
  holders: string[];
}
export type DriveGroup = 'free' | 'set-aside' | 'in-pool' | 'in-use' | 'protected' | 'gone';
export type Protection = 'none' | 'system' | 'user' | 'sandbox-mode';
export type Bus = 'sata' | 'sas' | 'nvme' | 'usb' | 'virtio' | 'loop' | 'mmc' | 'scsi' | 'unknown';

/** Counts that should not grow, as far as the drive tells them. */
export interface SmartCounters {
  /** Sectors that were replaced by spare ones. */
  reallocated?: number;
  /** Sectors that cannot be read now and wait to be written. */
  pending?: number;
  /** Errors that nothing could correct. */
  uncorrectable?: number;
  /** Transfer errors: the cable, mostly. */
  crc?: number;
  /** Endurance used up, 0 to 255; above 100 it is past what its maker promises. */
  wornPercent?: number;
}
export type SmartCounter = keyof SmartCounters;
export interface DriveAttribute {
  id: number;
  name: string;
  value: number;
  worst: number;
  threshold: number;
  raw: string;
  /** Below its limit now, or at some time before. */
  failed: 'now' | 'past' | null;
}
export interface SelfTestEntry {
  /** As the drive names it: `Short offline`, `Extended`. */
  kind: string;
  result: 'passed' | 'failed' | 'broken-off';
  text: string;
  powerOnHours: number | null;
  /** First place that could not be read. */
  lba: number | null;
}
/** What the drive says about its own health. Read without ever waking it. */
export interface DriveHealth {
  /** unknown: not read yet, asleep since Cairn knows it, or not readable. unsupported: it has nothing to say. */
  status: 'passed' | 'failing' | 'unknown' | 'unsupported';
  /** Why it is so, a sentence; null when all is well. */
  text: string | null;
  /** standby: it slept when it was asked last, and what is here is from before. */
  power: 'active' | 'standby' | 'unknown';
  temperatureCelsius: number | null;
  powerOnHours: number | null;
  counters: SmartCounters;
  attributes: DriveAttribute[];
  selfTest: {
    /** Null: the drive can test itself. */
    whyNot: string | null;
    running: { percent: number | null } | null;
    shortMinutes: number | null;
    longMinutes: number | null;
    log: SelfTestEntry[];
  };
  /** When the values were read; null: never. */
  readAt: number | null;
}
/** One point of a drive's history. */
export interface DriveSample {
  at: number;
  temperatureCelsius: number | null;
  counters: SmartCounters;
}

/** A physical disk (or sandbox drive) by its stable id, present or remembered. */
export interface Drive {
  /** Stable over reboots, ports and names: from WWN or model and serial. Never a /dev name. */
  id: string;
  present: boolean;
  /** `sda`, null while the drive is gone. Shown, never used to address it. */
  kernelName: string | null;
  path: string | null;
  byId: string | null;
  model: string | null;
  vendor: string | null;
  serial: string | null;
  wwn: string | null;
  bus: Bus;
  sizeBytes: number;
  rotational: boolean | null;
  logicalSectorBytes: number;
  physicalSectorBytes: number;
  readOnly: boolean;
  removable: boolean;
  /** strong: told apart by WWN or serial; ambiguous: another present drive claims the same; weak: nothing but its place. */
  identity: 'strong' | 'ambiguous' | 'weak';
  sandbox: boolean;
  bayLabel: string | null;
  group: DriveGroup;
  protection: Protection;
  /** Why it cannot be chosen for a new pool; empty means it can. */
  issues: Issue[];
  pool: { guid: string; label: string } | null;
  /** Live operation that holds this drive. */
  operationId: string | null;
  /** On the whole drive, partitions apart. */
  signatures: Signature[];
  mounts: MountUse[];
  holders: string[];
  partitions: Partition[];
  /** False until signatures have been read once since the drive appeared. */
  probed: boolean;
  /** Hash of everything that sits on the drive; part of a plan's confirm code. `blank` for a drive with nothing on it. */
  contentHash: string;
  health: DriveHealth;
  /** It was taken out of a pool, and is offered for no other until a person releases it; null: it is not. */
  setAside: { at: number; why: string } | null;
  /** What shows which one it is: the light of its bay, or its activity light, which blinks while it is read. */
  identifiedBy: 'bay-light' | 'activity';
  /** The last wipe that was not taken back, and why it cannot be any more; null: there is none. */
  wiped: { backupId: string; at: number; description: string; why: string | null } | null;
  firstSeenAt: number;
  lastSeenAt: number;
}

/** Everything found above a drive, read on request: D6. */
export interface DriveUse {
  driveId: string;
  processes: { pid: number; command: string; user: string; path: string }[];
}
