/** Sizes of disks as a form has them: text in GiB, whole MiB. */
import { formatBytes } from '$lib/shared/units';
import type { Pool } from '$lib/shared/wire/pools';
import { MIB } from './size';

const GIB = 1024 ** 3;

export const gibToBytes = (text: string): number => Math.round((Number(text) * GIB) / MIB) * MIB;
/** Four digits after the point are enough for any whole MiB to come back as itself. */
export const bytesToGib = (bytes: number): string => String(Number((bytes / GIB).toFixed(4)));

/** What is wrong with a disk of so many bytes more; null: nothing. What is promised to others is only known to the server. */
export function roomProblem(pool: Pool | undefined, moreBytes: number): string | null {
  const free = pool?.availableBytes ?? null;
  return free !== null && moreBytes > free
    ? `The pool has ${formatBytes(free)} free; it would need ${formatBytes(moreBytes)} more.`
    : null;
}
