/**
 * Cloud images that the projects themselves publish: where the present one lies, and where its checksum is told. Only
 * addresses that stay the same from one build to the next, so that this list does not age between two versions of
 * Cairn; a list of checksums beside the file says what it should be today.
 */
import type { ImageArch, ImageKind, ImageOs } from '$lib/shared/wire/images';

export interface CatalogEntry {
  id: string;
  name: string;
  kind: ImageKind;
  os: ImageOs | null;
  /** null: for any. */
  arch: ImageArch | null;
  /** The account that cloud-init gives the key to. */
  defaultUser: string | null;
  /** Below that the system does not start well. */
  minDiskBytes: number | null;
  minMemoryBytes: number | null;
  url: string;
  /** A sum, or the address of a list of them; null: none is known. */
  checksum: string | null;
  /** Its addresses may lie in a private network. */
  allowPrivate: boolean;
  /** Somebody made it here. */
  own: boolean;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
interface Sizes {
  minDiskBytes: number;
  minMemoryBytes: number;
}
const PUBLISHED = { kind: 'cloud', allowPrivate: false, own: false } as const;
const SMALL: Sizes = { minDiskBytes: 3 * GIB, minMemoryBytes: 512 * MIB };
const MEDIUM: Sizes = { minDiskBytes: 10 * GIB, minMemoryBytes: 1024 * MIB };

const ARCHES: readonly ImageArch[] = ['x86_64', 'aarch64'];
const debianName = (arch: ImageArch): string => (arch === 'x86_64' ? 'amd64' : 'arm64');

interface Family {
  os: Omit<ImageOs, 'version'>;
  user: string;
  sizes: Sizes;
  /** Version to folder, file and list of checksums for an architecture. */
  releases: Record<string, (arch: ImageArch) => { folder: string; file: string; sums: string }>;
}

const FAMILIES: Family[] = [
  {
    os: { id: 'debian', name: 'Debian' },
    user: 'debian',
    sizes: SMALL,
    releases: Object.fromEntries(
      [
        ['13', 'trixie'],
        ['12', 'bookworm'],
      ].map(([version = '', codename = '']) => [
        version,
        (arch: ImageArch) => ({
          folder: `https://cloud.debian.org/images/cloud/${codename}/latest`,
          file: `debian-${version}-genericcloud-${debianName(arch)}.qcow2`,
          sums: 'SHA512SUMS',
        }),
      ]),
    ),
  },
  {
    os: { id: 'ubuntu', name: 'Ubuntu' },
    user: 'ubuntu',
    sizes: { minDiskBytes: 4 * GIB, minMemoryBytes: 1024 * MIB },
    releases: Object.fromEntries(
      ['26.04', '24.04', '22.04'].map((version) => [
        version,
        (arch: ImageArch) => ({
          folder: `https://cloud-images.ubuntu.com/releases/${version}/release`,
          file: `ubuntu-${version}-server-cloudimg-${debianName(arch)}.img`,
          sums: 'SHA256SUMS',
        }),
      ]),
    ),
  },
  {
    os: { id: 'almalinux', name: 'AlmaLinux' },
    user: 'almalinux',
    sizes: MEDIUM,
    releases: Object.fromEntries(
      ['10', '9'].map((version) => [
        version,
        (arch: ImageArch) => ({
          folder: `https://repo.almalinux.org/almalinux/${version}/cloud/${arch}/images`,
          file: `AlmaLinux-${version}-GenericCloud-latest.${arch}.qcow2`,
          sums: 'CHECKSUM',
        }),
      ]),
    ),
  },
  {
    os: { id: 'rocky', name: 'Rocky Linux' },
    user: 'rocky',
    sizes: MEDIUM,
    releases: Object.fromEntries(
      ['10', '9'].map((version) => [
        version,
        (arch: ImageArch) => ({
          folder: `https://dl.rockylinux.org/pub/rocky/${version}/images/${arch}`,
          file: `Rocky-${version}-GenericCloud-Base.latest.${arch}.qcow2`,
          sums: `Rocky-${version}-GenericCloud-Base.latest.${arch}.qcow2.CHECKSUM`,
        }),
      ]),
    ),
  },
  {
    os: { id: 'centos', name: 'CentOS Stream' },
    user: 'cloud-user',
    sizes: MEDIUM,
    releases: Object.fromEntries(
      ['10', '9'].map((version) => [
        version,
        (arch: ImageArch) => ({
          folder: `https://cloud.centos.org/centos/${version}-stream/${arch}/images`,
          file: `CentOS-Stream-GenericCloud-${version}-latest.${arch}.qcow2`,
          sums: `CentOS-Stream-GenericCloud-${version}-latest.${arch}.qcow2.SHA256SUM`,
        }),
      ]),
    ),
  },
  {
    os: { id: 'opensuse', name: 'openSUSE Leap' },
    user: 'opensuse',
    sizes: MEDIUM,
    releases: {
      '16.0': (arch) => ({
        folder: 'https://download.opensuse.org/distribution/leap/16.0/appliances',
        file: `Leap-16.0-Minimal-VM.${arch}-Cloud.qcow2`,
        sums: `Leap-16.0-Minimal-VM.${arch}-Cloud.qcow2.sha256`,
      }),
    },
  },
];

const ARCH_LINUX: CatalogEntry = {
  id: 'arch-x86_64',
  name: 'Arch Linux',
  os: { id: 'arch', name: 'Arch Linux', version: null },
  arch: 'x86_64',
  defaultUser: 'arch',
  ...{ minDiskBytes: 4 * GIB, minMemoryBytes: 512 * MIB },
  url: 'https://geo.mirror.pkgbuild.com/images/latest/Arch-Linux-x86_64-cloudimg.qcow2',
  checksum: 'https://geo.mirror.pkgbuild.com/images/latest/Arch-Linux-x86_64-cloudimg.qcow2.SHA256',
  ...PUBLISHED,
};

export const CATALOG: readonly CatalogEntry[] = [
  ...FAMILIES.flatMap(({ os, user, sizes, releases }) =>
    Object.entries(releases).flatMap(([version, at]) =>
      ARCHES.map((arch): CatalogEntry => {
        const { folder, file, sums } = at(arch);
        return {
          id: `${os.id}-${version}-${arch}`,
          name: `${os.name} ${version}`,
          os: { ...os, version },
          arch,
          defaultUser: user,
          ...sizes,
          url: `${folder}/${file}`,
          checksum: `${folder}/${sums}`,
          ...PUBLISHED,
        };
      }),
    ),
  ),
  ARCH_LINUX,
];
