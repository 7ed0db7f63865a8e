/** Names of image files, and what they tell. The format is what the ending declares; content is never asked for it. */
import { posix } from 'node:path';
import type { ImageArch, ImageFormat, ImageKind } from '$lib/shared/wire/images';

/** Folder in a pool that downloads go to. */
export const IMAGES_FOLDER = 'images';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,150}$/;
const FORMATS: Record<string, ImageFormat> = {
  '.qcow2': 'qcow2',
  '.iso': 'iso',
  '.raw': 'raw',
  '.vmdk': 'vmdk',
  '.vdi': 'vdi',
  '.vhd': 'vhd',
  '.vhdx': 'vhdx',
  '.ova': 'ova',
};

export const isFileName = (name: string): boolean => NAME.test(name) && !name.includes('..');

/** @returns null for an ending that is no image's; `.img` says nothing: see {@link declaredFormat} */
export const formatOfName = (name: string): ImageFormat | null =>
  FORMATS[posix.extname(name).toLowerCase()] ?? null;

/**
 * Ubuntu calls its qcow2 images `.img`; elsewhere such a file is a raw disk.
 * @returns null when the name tells nothing
 */
export const declaredFormat = (name: string): ImageFormat | null =>
  formatOfName(name) ??
  (posix.extname(name).toLowerCase() === '.img' ? (/cloudimg/.test(name) ? 'qcow2' : 'raw') : null);

const SCANNED = /\.(?:iso|ova|qcow2|img|raw|vmdk|vdi|vhdx?)$/i;
/** Names that a search takes for images; others' names may have spaces and letters of any script. */
export const isScannedName = (name: string): boolean =>
  SCANNED.test(name) && !name.startsWith('.') && !/[\x00-\x1f\x7f\ufffd]/.test(name);

export const kindOfFormat = (format: ImageFormat): ImageKind =>
  format === 'iso' || format === 'ova' ? format : 'disk';

/** The last part of a URL's path as a file name; null when it is none. */
export function fileNameOf(url: URL): string | null {
  const last = posix.basename(url.pathname);
  try {
    const name = decodeURIComponent(last);
    return isFileName(name) ? name : null;
  } catch {
    return null; // a broken % sequence
  }
}

/** `debian-12.qcow2` and 1a2b3c4d give `debian-12-1a2b3c4d.qcow2`: builds of one name beside each other. */
export function nameWithSum(name: string, hex: string): string {
  const ending = posix.extname(name);
  return `${name.slice(0, name.length - ending.length)}-${hex.slice(0, 8)}${ending}`;
}

export const hostArch = (): ImageArch => (process.arch === 'arm64' ? 'aarch64' : 'x86_64');
