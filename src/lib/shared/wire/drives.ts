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
export type DriveGroup = 'free' | 'in-pool' | 'in-use' | 'protected' | 'gone';
export type Protection = 'none' | 'system' | 'user' | 'sandbox-mode';
export type Bus = 'sata' | 'sas' | 'nvme' | 'usb' | 'virtio' | 'loop' | 'mmc' | 'scsi' | 'unknown';

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
  firstSeenAt: number;
  lastSeenAt: number;
}

/** Everything found above a drive, read on request: D6. */
export interface DriveUse {
  driveId: string;
  processes: { pid: number; command: string; user: string; path: string }[];
}
