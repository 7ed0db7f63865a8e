/** Texts about images that more than one place shows. */
import { naturally } from '$lib/shared/natural-order';
import type { Image, ImageBadge, ImageKind, ImageOs } from '$lib/shared/wire/images';
import type { Tone } from '$lib/ui/tone';

export const badgeWord: Record<ImageBadge, string> = {
  ready: 'Ready',
  downloading: 'Downloading',
  uploading: 'Uploading',
  converting: 'Converting',
  'needs-download': 'Not downloaded',
  missing: 'Missing',
  refused: 'Cannot be used',
  'needs-conversion': 'To be converted',
};
export const badgeTone: Record<ImageBadge, Tone> = {
  ready: 'good',
  downloading: 'accent',
  uploading: 'accent',
  converting: 'accent',
  'needs-download': 'quiet',
  missing: 'warn',
  refused: 'bad',
  'needs-conversion': 'warn',
};
export const kindWord: Record<ImageKind, string> = {
  cloud: 'Cloud image',
  iso: 'Installer (ISO)',
  disk: 'Disk image',
  ova: 'Whole machine (OVA)',
};

export const osText = ({ name, version }: ImageOs): string => (version ? `${name} ${version}` : name);

/** Two letters stand for a system where no picture of its own may. */
export function initials(os: ImageOs | null, name: string): string {
  const words = (os?.name ?? name).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const [first = '?', second] = words;
  return (second ? `${first[0] ?? ''}${second[0] ?? ''}` : first.slice(0, 2)).replace(/^./, (letter) =>
    letter.toUpperCase(),
  );
}

/** The same system always has the same colour: degrees of hue. */
export function hueOf(text: string): number {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return sum;
}

/** What people ask for most stands first. */
const ORDER = ['debian', 'ubuntu', 'almalinux', 'rocky', 'centos', 'opensuse', 'arch'];
const rank = ({ os }: Image): number => {
  const place = ORDER.indexOf(os?.id ?? '');
  return place === -1 ? ORDER.length : place;
};

/** Natural order within a system: 9 before 10 in names, the newest version first. */
export const byName = (a: Image, b: Image): number =>
  rank(a) - rank(b) || (a.os && b.os ? -1 : 1) * naturally(a.name, b.name);
