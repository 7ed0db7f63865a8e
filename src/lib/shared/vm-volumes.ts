/** Volumes that a machine is made with besides its first disk; the form and the server ask the same functions. */
import type { Issue } from './error-codes';
import { issueOf } from './issue';
import { formatBytes } from './units';

export const VOLUME_FILESYSTEMS = ['none', 'ext4', 'xfs'] as const;
export type VolumeFilesystem = (typeof VOLUME_FILESYSTEMS)[number];
export const MOST_VOLUMES = 7;
const MIB = 1024 ** 2;

export interface VolumeRequest {
  sizeBytes: number;
  filesystem: VolumeFilesystem;
  /** Of the filesystem; empty: one that follows from its place. */
  label: string;
  /** Where the guest mounts it, by cloud-init; empty: nowhere. */
  mountPoint: string;
}

/** With less mkfs refuses, or leaves no room for anything. */
const LEAST_BYTES = { none: MIB, ext4: 8 * MIB, xfs: 300 * MIB };
const LONGEST_LABEL = { ext4: 16, xfs: 12 };
const SECTOR_BYTES = 512;
/** The guest's system needs what is in these. */
const TAKEN = /^\/(bin|boot|dev|etc|lib\d*|proc|root|run|sbin|sys|usr)(\/|$)/;

/** Disk 2 is the first of them. @example "data-2" */
export const volumeLabel = ({ label }: Pick<VolumeRequest, 'label'>, index: number): string =>
  label === '' ? `data-${index + 2}` : label;

function sizeIssues({ sizeBytes, filesystem }: VolumeRequest, field: string): Issue[] {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < MIB || sizeBytes % SECTOR_BYTES !== 0)
    return [issueOf('disk_invalid', `A disk cannot have ${sizeBytes} bytes.`, `${field}.sizeBytes`)];
  const least = LEAST_BYTES[filesystem];
  if (sizeBytes >= least) return [];
  const message = `${filesystem} needs ${formatBytes(least)} at least, and the disk has ${formatBytes(sizeBytes)}.`;
  return [issueOf('volume_too_small', message, `${field}.sizeBytes`)];
}

function labelIssues({ label, filesystem }: VolumeRequest, field: string): Issue[] {
  if (label === '') return [];
  const refuse = (message: string): Issue[] => [issueOf('volume_label_invalid', message, `${field}.label`)];
  if (filesystem === 'none') return refuse('A disk without a filesystem has no label.');
  const most = LONGEST_LABEL[filesystem];
  if (label.length > most) return refuse(`A label of ${filesystem} has ${most} characters at most.`);
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(label)
    ? []
    : refuse(`"${label}" has characters that are not allowed in a label.`);
}

function mountIssues({ mountPoint, filesystem }: VolumeRequest, hasLogin: boolean, field: string): Issue[] {
  if (mountPoint === '') return [];
  const refuse = (message: string): Issue[] => [
    issueOf('volume_mount_invalid', message, `${field}.mountPoint`),
  ];
  if (filesystem === 'none') return refuse('A disk without a filesystem cannot be mounted.');
  if (!hasLogin) return refuse('Only cloud-init mounts it, which this machine is made without.');
  if (!/^(\/[A-Za-z0-9._-]+)+$/.test(mountPoint) || /\/\.{1,2}(\/|$)/.test(mountPoint))
    return refuse(`"${mountPoint}" is no plain absolute path.`);
  return TAKEN.test(mountPoint) ? refuse(`The guest's own system needs ${mountPoint}.`) : [];
}

function twice(values: string[], say: (value: string) => string, field: string): Issue[] {
  return values.flatMap((value, index) =>
    value !== '' && values.indexOf(value) < index
      ? [
          issueOf(
            field === 'label' ? 'volume_label_invalid' : 'volume_mount_invalid',
            say(value),
            `disks.${index}.${field}`,
          ),
        ]
      : [],
  );
}

/** Everything that is wrong with them; what the pool has room for only the server knows. */
export function volumeIssues(volumes: VolumeRequest[], hasLogin: boolean): Issue[] {
  const labels = volumes.map((volume, index) =>
    volume.filesystem === 'none' ? '' : volumeLabel(volume, index),
  );
  return [
    ...volumes.flatMap((volume, index) => {
      const field = `disks.${index}`;
      return [
        ...sizeIssues(volume, field),
        ...labelIssues(volume, field),
        ...mountIssues(volume, hasLogin, field),
      ];
    }),
    ...twice(labels, (label) => `Two disks have the label "${label}".`, 'label'),
    ...twice(
      volumes.map(({ mountPoint }) => mountPoint),
      (path) => `Two disks are mounted at ${path}.`,
      'mountPoint',
    ),
  ];
}
