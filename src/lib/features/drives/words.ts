/** Texts about drives that more than one place shows. */
import { naturally } from '$lib/shared/natural-order';
import type { Tone } from '$lib/ui/tone';
import type { Drive, DriveGroup, Partition, Signature } from '$lib/shared/wire/drives';

export const GROUPS: { id: DriveGroup; title: string; text: string }[] = [
  { id: 'free', title: 'Free', text: 'Can be chosen for a new pool' },
  { id: 'set-aside', title: 'Set aside', text: 'Not offered for a pool until somebody releases them' },
  { id: 'in-pool', title: 'In a pool', text: 'Members of pools made here' },
  { id: 'in-use', title: 'In use', text: 'Something else on this machine uses them' },
  { id: 'protected', title: 'Protected', text: 'Never touched' },
  { id: 'gone', title: 'Gone', text: 'Seen before, not plugged in now' },
];

export const groupTone: Record<DriveGroup, Tone> = {
  free: 'good',
  'set-aside': 'warn',
  'in-pool': 'accent',
  'in-use': 'warn',
  protected: 'quiet',
  gone: 'bad',
};
export const groupWord: Record<DriveGroup, string> = {
  free: 'Free',
  'set-aside': 'Set aside',
  'in-pool': 'In a pool',
  'in-use': 'In use',
  protected: 'Protected',
  gone: 'Gone',
};

export const lastFour = (serial: string | null): string => (serial ? serial.slice(-4) : 'none');

export function kindOf(drive: Drive): string {
  if (drive.sandbox) return 'Sandbox';
  if (drive.bus === 'nvme') return 'NVMe';
  if (drive.bus === 'usb') return 'USB';
  if (drive.rotational === true) return 'HDD';
  return drive.rotational === false ? 'SSD' : 'Disk';
}

/** What people call it: the label of its bay, else the kernel's name, else the end of its serial. */
export const nameOf = (drive: Drive): string =>
  drive.bayLabel ?? drive.kernelName ?? `…${lastFour(drive.serial)}`;

export function protectionText(drive: Drive): string | null {
  switch (drive.protection) {
    case 'system':
      return 'It holds the system this machine runs from.';
    case 'user':
      return 'Somebody protected it here.';
    case 'sandbox-mode':
      return 'Real drives are locked in sandbox mode.';
    case 'none':
      return null;
  }
}

export const signatureText = (signature: Signature): string =>
  signature.label ? `${signature.type} “${signature.label}”` : signature.type;

export function partitionText(partition: Partition): string {
  const found = partition.signatures.map(signatureText).join(', ');
  return found || partition.name || 'Nothing recognised';
}

/** One short line: what is on it. */
export function contentText(drive: Drive): string {
  if (drive.pool) return drive.pool.label;
  if (drive.protection === 'system') return 'System';
  const mount = [...drive.mounts, ...drive.partitions.flatMap((partition) => partition.mounts)][0];
  if (mount) return mount.path;
  const held = [...drive.holders, ...drive.partitions.flatMap((partition) => partition.holders)][0];
  if (held) return `Used by ${held}`;
  if (drive.partitions.length > 0)
    return drive.partitions.length === 1 && drive.partitions[0]
      ? partitionText(drive.partitions[0])
      : `${drive.partitions.length} partitions`;
  if (drive.signatures[0]) return signatureText(drive.signatures[0]);
  if (!drive.present) return 'Not plugged in';
  return drive.probed ? 'Empty' : 'Looking …';
}

export const isEmpty = (drive: Drive): boolean =>
  drive.probed && drive.signatures.length === 0 && drive.partitions.length === 0;

/** By bay label, then by the kernel's name, numbers as numbers. */
export const byPlace = (a: Drive, b: Drive): number =>
  naturally(a.bayLabel ?? '\uffff', b.bayLabel ?? '\uffff') ||
  naturally(a.kernelName ?? '\uffff', b.kernelName ?? '\uffff') ||
  naturally(a.serial ?? '', b.serial ?? '');

const RANK: Record<DriveGroup, number> = {
  'in-pool': 0,
  free: 1,
  'set-aside': 2,
  'in-use': 3,
  protected: 4,
  gone: 5,
};
/** What can be worked with first, then by place. */
export const byUse = (a: Drive, b: Drive): number => RANK[a.group] - RANK[b.group] || byPlace(a, b);

const HUES = [228, 300, 190, 335, 268, 110];
/** A hue for each pool: the same on every page and after a restart, and no two alike while there are enough. */
export function poolHue(pools: Iterable<{ guid: string; createdAt: number }>, guid: string): number {
  const taken: number[] = [];
  for (const pool of [...pools].sort((a, b) => a.createdAt - b.createdAt)) {
    const sum = [...pool.guid].reduce((all, letter) => (all * 31 + letter.charCodeAt(0)) % 997, 0);
    const wish = sum % HUES.length;
    const turned = [...HUES.slice(wish), ...HUES.slice(0, wish)];
    const hue = turned.find((one) => !taken.includes(one)) ?? turned[0] ?? 228;
    if (pool.guid === guid) return hue;
    taken.push(hue);
  }
  return HUES[0] ?? 228;
}
