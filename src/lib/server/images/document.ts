/** One image as pages show it: its record, what is at its place now, and the operation that is at it. Pure. */
import { posix } from 'node:path';
import type { Image, ImageBadge, ImageFormat, ImageOrigin, PublishedNow } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import type { Inspection } from './inspections';
import type { CatalogEntry } from './catalog';
import type { ImageRecord } from './store';

/** What is at the place of an image; undefined: not looked at yet, or it cannot be looked at. */
export type Presence = { sizeBytes: number; modifiedAtMs: number } | null | undefined;

export interface ImageFacts {
  record: ImageRecord;
  pool: Pool | null;
  presence: Presence;
  /** undefined: not inspected. */
  inspection: Inspection | undefined;
  operationId: string | null;
  nodeId: string;
  ownEntry: boolean;
  published: PublishedNow | null;
}

/** Formats of others, which QEMU reads well enough to convert. */
const TO_CONVERT: readonly ImageFormat[] = ['vmdk', 'vdi', 'vhd', 'vhdx'];

/** What an image is called while an operation makes it. */
const COMING: Record<ImageOrigin, ImageBadge> = {
  ...({ catalog: 'downloading', url: 'downloading', scanned: 'downloading' } as const),
  ...({ upload: 'uploading', converted: 'converting' } as const),
};

function badgeOf({
  record,
  pool,
  presence,
  inspection,
  operationId,
}: ImageFacts): Pick<Image, 'badge' | 'badgeText'> {
  const missing = (badgeText: string) => ({ badge: 'missing', badgeText }) as const;
  if (record.state === 'creating' && operationId !== null)
    return { badge: COMING[record.origin], badgeText: null };
  if (!pool) return missing('Its pool is not known any more.');
  if (!pool.mounted) return missing(`The pool "${pool.label}" is not mounted.`);
  if (record.state === 'creating')
    return missing('What brought it ended without a word: delete the image, then get it again.');
  if (presence === null) return missing(`${posix.join(pool.mountPath, record.file)} is gone.`);
  if (presence && record.sizeBytes !== null && presence.sizeBytes !== record.sizeBytes)
    return missing('The file has another size than it had: it was changed by something else than Cairn.');
  if (typeof inspection?.obstacle === 'string') return { badge: 'refused', badgeText: inspection.obstacle };
  if (TO_CONVERT.includes(record.format))
    return {
      badge: 'needs-conversion',
      badgeText: `Machines start from qcow2 and raw; this is ${record.format}. Convert it first.`,
    };
  return { badge: 'ready', badgeText: null };
}

const isNewer = (record: ImageRecord, published: PublishedNow | null): boolean =>
  typeof published?.checksum === 'string' &&
  // One sum says nothing of a sum of another kind.
  record.checksum?.hex.length === published.checksum.length &&
  record.checksum.hex !== published.checksum;

export function imageDocument(facts: ImageFacts): Image {
  const { record, pool, operationId, nodeId, published } = facts;
  const { id, name, kind, format, os, arch, origin, url, checksum, catalogId } = record;
  return {
    ...{ id, name, kind, format, os, arch, origin, url, checksum, catalogId, operationId },
    ...badgeOf(facts),
    ...{ ownEntry: facts.ownEntry, published, newer: isNewer(record, published) },
    pool: pool && { guid: pool.guid, label: pool.label },
    path: pool && posix.join(pool.mountPath, record.file),
    nodeId,
    sizeBytes: record.sizeBytes,
    virtualBytes: facts.inspection?.virtualBytes || null,
    machine: facts.inspection?.machine ?? null,
    defaultUser: record.defaultUser,
    minDiskBytes: record.minDiskBytes,
    minMemoryBytes: record.minMemoryBytes,
    createdAt: record.createdAt,
  };
}

/** What the catalog offers and nobody has downloaded. */
export const catalogDocument = (entry: CatalogEntry, published: PublishedNow | null): Image => ({
  ...{
    id: `catalog:${entry.id}`,
    name: entry.name,
    kind: entry.kind,
    format: null,
    os: entry.os,
    arch: entry.arch,
  },
  ...{ origin: 'catalog', badge: 'needs-download', badgeText: null, pool: null, path: null, nodeId: null },
  ...{
    ...{
      sizeBytes: published?.sizeBytes ?? null,
      virtualBytes: null,
      machine: null,
      published,
      newer: false,
    },
    url: entry.url,
    checksum: null,
    catalogId: entry.id,
    ownEntry: entry.own,
    operationId: null,
    createdAt: null,
  },
  defaultUser: entry.defaultUser,
  minDiskBytes: entry.minDiskBytes,
  minMemoryBytes: entry.minMemoryBytes,
});
