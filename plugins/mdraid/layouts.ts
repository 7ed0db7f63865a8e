/** The layouts of md that Cairn makes, and how much of some drives each can use. Pure. */
import type { Layout } from '../../src/lib/plugin-api/storage';

export const LAYOUT_IDS = ['raid0', 'raid1', 'raid5', 'raid6', 'raid10'] as const;
export type LayoutId = (typeof LAYOUT_IDS)[number];
export const isLayout = (value: string): value is LayoutId =>
  (LAYOUT_IDS as readonly string[]).includes(value);

/** Layouts in which data lies in stripes, and those that can keep a write-intent bitmap. */
export const STRIPED: LayoutId[] = ['raid0', 'raid5', 'raid6', 'raid10'];
export const REDUNDANT: LayoutId[] = ['raid1', 'raid5', 'raid6', 'raid10'];

export const LAYOUTS: Layout[] = [
  {
    id: 'raid0',
    title: 'Stripe (RAID 0)',
    description: 'The space of all drives together, fast; the loss of one drive loses the pool.',
    minDrives: 2,
    maxDrives: null,
    tolerance: () => 0,
  },
  {
    id: 'raid1',
    title: 'Mirror (RAID 1)',
    description: 'Every drive holds everything; one of them is enough.',
    minDrives: 2,
    maxDrives: null,
    tolerance: (count) => Math.max(0, count - 1),
  },
  {
    id: 'raid5',
    title: 'RAID 5',
    description: 'One drive may fail; the space of one drive is given for that.',
    minDrives: 3,
    maxDrives: null,
    tolerance: () => 1,
  },
  {
    id: 'raid6',
    title: 'RAID 6',
    description: 'Two drives may fail; the space of two drives is given for that.',
    minDrives: 4,
    maxDrives: null,
    tolerance: () => 2,
  },
  {
    id: 'raid10',
    title: 'Striped mirrors (RAID 10)',
    description: 'Everything twice and striped: fast, also while it rebuilds. Any one drive may fail.',
    minDrives: 4,
    maxDrives: null,
    tolerance: () => 1,
  },
];

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** GPT in front (2,048 sectors, of 4 KiB on some drives) and behind. */
const TABLE_BYTES = 9 * MIB;

/**
 * Partitions end on a grid, so that drives of about the same size get partitions of the very same size: another model of
 * "4 TB" that is some megabytes smaller can take the place of a member.
 */
function gridBytes(driveBytes: number): number {
  if (driveBytes >= 256 * GIB) return GIB;
  return driveBytes >= 16 * GIB ? 64 * MIB : MIB;
}
/** Size of the partition that a drive gets, bytes; a whole number of MiB. */
export function partitionBytes(driveBytes: number): number {
  const grid = gridBytes(driveBytes);
  return Math.max(0, Math.floor((driveBytes - TABLE_BYTES) / grid) * grid);
}
/** Smallest drive whose partition is as large as that of a drive of `driveBytes`. */
export const smallestAlike = (driveBytes: number): number => partitionBytes(driveBytes) + TABLE_BYTES;

/**
 * What mdadm leaves in front of the data for superblock, bitmap and reshapes: up to 128 MiB, at most a thousandth
 * (super1.c, validate_geometry1), and a MiB.
 */
function dataBytes(driveBytes: number): number {
  const partition = partitionBytes(driveBytes);
  let headroom = 128 * MIB;
  while (headroom > partition / 1024) headroom /= 2;
  return Math.max(0, Math.floor((partition - headroom - MIB) / MIB) * MIB);
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

export function usableBytes(request: { layout: string; driveSizesBytes: number[] }): number {
  const sizes = request.driveSizesBytes.map(dataBytes);
  if (sizes.length === 0) return 0;
  const smallest = Math.min(...sizes);
  switch (request.layout) {
    case 'raid1':
      return smallest;
    case 'raid5':
      return smallest * Math.max(0, sizes.length - 1);
    case 'raid6':
      return smallest * Math.max(0, sizes.length - 2);
    case 'raid10':
      return Math.floor((smallest * sizes.length) / 2);
    default:
      return sum(sizes);
  }
}
