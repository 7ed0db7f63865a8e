/** Images: what virtual machines are made from. Downloaded, put there by hand, or only known from the catalog: one list. */
import type { VmDevices } from '../vm-devices';

export const IMAGE_ARCHES = ['x86_64', 'aarch64'] as const;
export type ImageArch = (typeof IMAGE_ARCHES)[number];

/** cloud: starts by itself and is told who may log in; iso: an installer or a live system; disk: the image of some other disk; ova: a whole machine. */
export const IMAGE_KINDS = ['cloud', 'iso', 'disk', 'ova'] as const;
export type ImageKind = (typeof IMAGE_KINDS)[number];

export const IMAGE_FORMATS = ['qcow2', 'raw', 'iso', 'vmdk', 'vdi', 'vhd', 'vhdx', 'ova'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/**
 * ready: whole, at `path`. downloading, uploading, converting: an operation is at it. needs-download: only its address is known.
 * missing: its file is gone, or its pool is not mounted. refused: it was inspected and is no disk of its own.
 * needs-conversion: of a format that no machine starts from.
 */
export const IMAGE_BADGES = [
  ...(['ready', 'downloading', 'needs-download', 'missing'] as const),
  ...(['uploading', 'converting', 'refused', 'needs-conversion'] as const),
] as const;
export type ImageBadge = (typeof IMAGE_BADGES)[number];

/** scanned: somebody put the file there, and a search of the pool found it. */
export type ImageOrigin = 'catalog' | 'url' | 'scanned' | 'upload' | 'converted';

export interface ImageOs {
  /** As in os-release(5): debian, ubuntu, fedora. */
  id: string;
  name: string;
  version: string | null;
}

/** What a machine is to have that is in an image, as its descriptor says. */
export interface ImageMachine {
  name: string | null;
  cpus: number;
  /** null: its descriptor says it in a unit that is not known. */
  memoryBytes: number | null;
  /** The first one is what it starts from. */
  diskBytes: number[];
  /** How many network cards. */
  cards: number;
  /** It was made to start by EFI. */
  isEfi: boolean;
  /** What its guest has drivers for, as far as its descriptor tells. */
  devices: VmDevices;
  /** Its files have checksums. */
  hasChecksums: boolean;
}

export interface Image {
  /** A UUID; `catalog:<entry>` for what was never downloaded. */
  id: string;
  name: string;
  kind: ImageKind;
  /** Declared, never guessed from the content. null: not known yet. */
  format: ImageFormat | null;
  os: ImageOs | null;
  arch: ImageArch | null;
  origin: ImageOrigin;
  badge: ImageBadge;
  /** Why it is missing, refused or to be converted; null otherwise. */
  badgeText: string | null;
  pool: { guid: string; label: string } | null;
  /** Absolute; null unless it was downloaded or found. */
  path: string | null;
  /** The host that has the file; null: none has. */
  nodeId: string | null;
  sizeBytes: number | null;
  /** Size of the disk inside; null: not a disk, or not inspected. */
  virtualBytes: number | null;
  /** The machine in it; null: it is no OVA, or was not inspected. */
  machine: ImageMachine | null;
  url: string | null;
  checksum: { algorithm: 'sha256' | 'sha512'; hex: string } | null;
  /** Entry of the catalog that it came from. */
  catalogId: string | null;
  /** What the publisher of that entry offers now; null: never asked, or it came from no entry. */
  published: PublishedNow | null;
  /** The publisher offers another build than this. */
  newer: boolean;
  /** That entry was made here: it can be changed and removed. */
  ownEntry: boolean;
  defaultUser: string | null;
  minDiskBytes: number | null;
  minMemoryBytes: number | null;
  /** Live operation on this image. */
  operationId: string | null;
  createdAt: number | null;
}

/** What the publisher of a catalog entry offered when it was last asked. */
export interface PublishedNow {
  sizeBytes: number | null;
  /** In hexadecimal; null: there is none. */
  checksum: string | null;
  /** Why the last question got no answer. */
  problem: string | null;
  askedAt: number;
}
/** How asking all publishers went. */
export interface CatalogRefresh {
  asked: number;
  failed: { name: string; problem: string }[];
}

/** How much of an upload is safely there: where its sender goes on. */
export interface UploadState {
  imageId: string;
  operationId: string;
  offset: number;
  sizeBytes: number;
}

/** What a search of the pools came to. */
export interface ImageLook {
  /** Images that are in the list now and were not before. */
  found: number;
  /** Pools that were searched. */
  pools: number;
  /** Labels of pools that hold more than a search goes through. */
  incomplete: string[];
  /** Labels of mounted pools that could not be searched: somebody works on them, or they are not on drives of this host. */
  notLookedAt: string[];
}
