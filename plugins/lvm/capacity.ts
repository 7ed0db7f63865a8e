/** How LVM divides drives: extents of 4 MiB behind the first MiB. Pure. */
import type { Json } from '../../src/lib/plugin-api/plan';
import { isLayout, type LayoutId } from './names';

export const EXTENT_BYTES = 4 * 1024 ** 2;
/** Where the extents begin (`--dataalignment 1m`, and no detection of anything else). */
export const START_BYTES = 1024 ** 2;
/** Copies of raid1 and raid5 have an extent of their own for what is in sync. */
const RAID_EXTENTS = 1;

const CHUNK_BYTES = 128 * 1024;
/** dm-thin takes no more metadata than this; thin-provisioning.rst. */
const METADATA_MAX_EXTENTS = Math.floor((15 * 1024 ** 3) / EXTENT_BYTES);
const METADATA_MIN_EXTENTS = 2;

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

export const extentsOf = (sizeBytes: number): number =>
  Math.max(0, Math.floor((sizeBytes - START_BYTES) / EXTENT_BYTES));

/** What `lvcreate` and `lvextend` are told. */
export interface Division {
  /** Of the volume, or of the thin pool's data. */
  extents: number;
  /** Of the thin pool's metadata; LVM keeps as much again to repair it. */
  metadataExtents: number;
  /** Of the thin volume, which may promise more than the pool has. */
  virtualExtents: number;
  /** Of the thin pool, bytes: a power of two. */
  chunkBytes: number;
}

function thinDivision(total: number, overcommitPercent: number): Division {
  // 64 bytes of metadata a chunk and copy of it: one 1024th holds every chunk twice.
  const wanted = Math.ceil(total / 1024);
  const metadataExtents = Math.min(METADATA_MAX_EXTENTS, Math.max(METADATA_MIN_EXTENTS, wanted));
  let chunkBytes = CHUNK_BYTES;
  for (let rest = wanted; rest > METADATA_MAX_EXTENTS; rest /= 2) chunkBytes *= 2;
  const extents = Math.max(0, total - 2 * metadataExtents);
  return {
    extents,
    metadataExtents,
    chunkBytes,
    virtualExtents: Math.floor((extents * overcommitPercent) / 100),
  };
}

export function divide(layout: LayoutId, driveSizesBytes: number[], overcommitPercent = 100): Division {
  const each = driveSizesBytes.map(extentsOf);
  const least = each.length === 0 ? 0 : Math.min(...each);
  const plain = (extents: number): Division => ({
    extents: Math.max(0, extents),
    metadataExtents: 0,
    virtualExtents: 0,
    chunkBytes: 0,
  });
  switch (layout) {
    case 'linear':
      return plain(sum(each));
    case 'mirror':
      return plain(least - RAID_EXTENTS);
    case 'raid5':
      return plain(Math.max(0, least - RAID_EXTENTS) * Math.max(0, each.length - 1));
    case 'thin':
      return thinDivision(sum(each), overcommitPercent);
  }
}

export const overcommitOf = (options: Record<string, Json>): number =>
  Number(options.overcommitPercent ?? 100);

/** What can really be stored: a thin pool's promise beyond that does not count. */
export const usableBytes = (request: { layout: string; driveSizesBytes: number[] }): number =>
  isLayout(request.layout) ? divide(request.layout, request.driveSizesBytes).extents * EXTENT_BYTES : 0;
