/** How much of some drives a layout can use. Pure. */
import { LAYOUTS, type LayoutId } from './btrfs';

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

/** Two copies of everything, on different drives: half of all, or all but the largest when that one is larger than the rest. */
function raid1Bytes(sizes: number[]): number {
  const total = sum(sizes);
  return Math.floor(Math.min(total / 2, total - Math.max(0, ...sizes)));
}

/**
 * btrfs allocates raid10 chunk by chunk over as many drives as have room, an even number, emptiest first; with unequal
 * sizes the order changes as they fill, so the allocation is played through (as the kernel does: btrfs_alloc_chunk).
 */
function raid10Bytes(sizes: number[]): number {
  const free = sizes.filter((size) => size > 0);
  const unit = Math.max(64 * 1024 ** 2, Math.ceil(Math.max(0, ...free) / 2_000));
  let usable = 0;
  for (;;) {
    free.sort((a, b) => b - a);
    const withRoom = free.filter((bytes) => bytes > 0).length;
    const width = withRoom - (withRoom % 2);
    if (width < 2) return Math.floor(usable);
    const stripe = Math.min(unit, free[width - 1] ?? 0);
    for (let index = 0; index < width; index += 1) free[index] = (free[index] ?? 0) - stripe;
    usable += (stripe * width) / 2;
  }
}

export const isLayout = (value: string): value is LayoutId => (LAYOUTS as readonly string[]).includes(value);

export function usableBytes(request: { layout: string; driveSizesBytes: number[] }): number {
  const sizes = request.driveSizesBytes;
  switch (request.layout) {
    case 'raid1':
      return raid1Bytes(sizes);
    case 'raid10':
      return raid10Bytes(sizes);
    default:
      return sum(sizes);
  }
}
