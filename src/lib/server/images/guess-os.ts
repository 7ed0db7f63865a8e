/** Which system an image seems to hold, by its file name and the label of its ISO. A guess, for people and for proposals. */
import type { ImageArch, ImageKind, ImageOs } from '$lib/shared/wire/images';

interface Pattern {
  os: Omit<ImageOs, 'version'>;
  /** Its first group, where there is one, is the version. */
  name: RegExp;
}
const VERSION = String.raw`(?:[^0-9]*?(\d+(?:\.\d+)?))?`;
/** A name at the beginning of a word; what follows it up to the first number may be a flavour. */
const named = (words: string): RegExp => new RegExp(`(?:^|[^a-z])(?:${words})${VERSION}`, 'i');

/** The more exact ones stand first. */
const PATTERNS: Pattern[] = [
  { os: { id: 'proxmox', name: 'Proxmox VE' }, name: named('proxmox[-_ ]ve|pve') },
  { os: { id: 'ubuntu', name: 'Ubuntu' }, name: named('[klx]?ubuntu') },
  { os: { id: 'linuxmint', name: 'Linux Mint' }, name: named('linux ?mint') },
  { os: { id: 'debian', name: 'Debian' }, name: named('debian') },
  { os: { id: 'almalinux', name: 'AlmaLinux' }, name: named('almalinux') },
  { os: { id: 'rocky', name: 'Rocky Linux' }, name: named('rocky(?:[-_ ]linux)?') },
  { os: { id: 'centos', name: 'CentOS Stream' }, name: named('centos(?:[-_ ]stream)?') },
  { os: { id: 'fedora', name: 'Fedora' }, name: /(?:^|[^a-z])fedora(?:.*?[- ](\d{2})(?!\d))?/i },
  { os: { id: 'rhel', name: 'Red Hat Enterprise Linux' }, name: named('rhel') },
  { os: { id: 'opensuse', name: 'openSUSE' }, name: named('opensuse|leap') },
  { os: { id: 'alpine', name: 'Alpine Linux' }, name: named('alpine') },
  { os: { id: 'arch', name: 'Arch Linux' }, name: /(?:^|[^a-z])(?:archlinux|arch[-_](?:linux|\d{6}))/i },
  { os: { id: 'nixos', name: 'NixOS' }, name: named('nixos') },
  { os: { id: 'kali', name: 'Kali Linux' }, name: named('kali') },
  { os: { id: 'freebsd', name: 'FreeBSD' }, name: named('freebsd') },
  { os: { id: 'openbsd', name: 'OpenBSD' }, name: named('openbsd') },
  { os: { id: 'opnsense', name: 'OPNsense' }, name: named('opnsense') },
  { os: { id: 'pfsense', name: 'pfSense' }, name: named('pfsense') },
  { os: { id: 'truenas', name: 'TrueNAS' }, name: named('truenas') },
  { os: { id: 'haos', name: 'Home Assistant OS' }, name: named('haos') },
  { os: { id: 'virtio-win', name: 'Drivers for Windows (virtio)' }, name: named('virtio-win') },
  {
    os: { id: 'windows-server', name: 'Windows Server' },
    name: named('windows[-_ ]?server|win[-_ ]?server'),
  },
  { os: { id: 'windows', name: 'Windows' }, name: named('windows|win(?=[-_ ]?(?:7|8|10|11)(?!\\d))') },
  // Microsoft's installers are told by their labels only: CCCOMA_X64FRE_EN-US_DV9, SSS_X64FREE_EN-US_DV9.
  { os: { id: 'windows-server', name: 'Windows Server' }, name: /^SSS_FREE/ },
  { os: { id: 'windows', name: 'Windows' }, name: /^C[A-Z]+_FRE/ },
];

const ARCHES: [RegExp, ImageArch][] = [
  [/aarch64|arm64/i, 'aarch64'],
  [/x86[-_]64|amd64|x64/i, 'x86_64'],
];
/** Numbers in it are no version. */
const withoutArch = (text: string): string =>
  ARCHES.reduce((rest, [pattern]) => rest.replace(pattern, ''), text);
const CLOUD = /cloud(?:img|init|-?base)?|genericcloud|nocloud/i;

export interface Guess {
  os: ImageOs | null;
  arch: ImageArch | null;
}

/** The label is what the makers wrote, the file name what somebody may have changed: the label counts first. */
export function guessOs(fileName: string, label: string | null): Guess {
  const texts = [...(label === null ? [] : [label]), fileName];
  const found = texts
    .flatMap((text) =>
      PATTERNS.flatMap(({ os, name }) => {
        const match = name.exec(withoutArch(text));
        return match ? [{ ...os, version: match[1] ?? null }] : [];
      }).slice(0, 1),
    )
    .toSorted((a, b) => Number(a.version === null) - Number(b.version === null));
  const arch = texts.flatMap((text) => ARCHES.find(([pattern]) => pattern.test(text))?.[1] ?? [])[0] ?? null;
  return { os: found[0] ?? null, arch };
}

/** A cloud image says so in its name. */
export const kindOfName = (fileName: string, isIso: boolean): ImageKind =>
  fileName.toLowerCase().endsWith('.ova') ? 'ova' : isIso ? 'iso' : CLOUD.test(fileName) ? 'cloud' : 'disk';
