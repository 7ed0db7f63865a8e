/** Layouts, and how drives are put together to vdevs. Pure. */
import type { DriveRole } from '../../src/lib/plugin-api/storage';

export const LAYOUTS = ['stripe', 'mirror', 'raidz1', 'raidz2', 'raidz3'] as const;
export type LayoutId = (typeof LAYOUTS)[number];
export const isLayout = (value: string): value is LayoutId => (LAYOUTS as readonly string[]).includes(value);

export const PARITY: Record<LayoutId, number> = { stripe: 0, mirror: 1, raidz1: 1, raidz2: 2, raidz3: 3 };

export interface VdevGroup {
  /** `['mirror']`, `['log', 'mirror']`, `['spare']`, or nothing for single drives. */
  keywords: string[];
  paths: string[];
}
interface Placed {
  path: string;
  role: DriveRole;
}

/** Pairs in order; an odd drive out makes the last mirror a triple. One drive stays alone. */
export function mirrorsOf<T>(items: T[]): T[][] {
  const count = Math.max(1, Math.floor(items.length / 2));
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * 2, index === count - 1 ? undefined : index * 2 + 2),
  );
}

const widthLeast: Record<LayoutId, number> = { stripe: 1, mirror: 2, raidz1: 3, raidz2: 4, raidz3: 5 };
/** Fewest drives of a layout, also of those that are added to it. */
export const fewestDrives = (layout: LayoutId): number => widthLeast[layout];

export function dataGroups(layout: LayoutId, paths: string[]): VdevGroup[] {
  if (layout === 'stripe') return [{ keywords: [], paths }];
  if (layout === 'mirror') return mirrorsOf(paths).map((group) => ({ keywords: ['mirror'], paths: group }));
  return [{ keywords: [layout], paths }];
}

/** What zpool create wants: data first, then log (two of them a mirror), cache and spares. */
export function allGroups(layout: LayoutId, drives: Placed[]): VdevGroup[] {
  const having = (role: DriveRole): string[] =>
    drives.filter((drive) => drive.role === role).map((drive) => drive.path);
  const logs = having('log');
  return [
    ...dataGroups(layout, having('data')),
    { keywords: logs.length > 1 ? ['log', 'mirror'] : ['log'], paths: logs },
    { keywords: ['cache'], paths: having('cache') },
    { keywords: ['spare'], paths: having('spare') },
  ].filter((group) => group.paths.length > 0);
}

/** Any so many drives may fail. Mirrors: the smallest of them counts. */
export function tolerance(layout: LayoutId, count: number): number {
  if (layout !== 'mirror') return PARITY[layout];
  return Math.max(0, Math.min(...mirrorsOf(Array.from({ length: count })).map((group) => group.length)) - 1);
}

const MIB = 1024 ** 2;
/** Four labels of 256 KiB, the boot block, and what partition and alignment take. */
const OVERHEAD_BYTES = 6 * MIB;
const BLOCK_BYTES = 128 * 1024;

/** Part of a raidz vdev that holds data: parity and padding of a 128 KiB block (vdev_raidz_asize of OpenZFS). */
function raidzRatio(columns: number, parity: number, sectorBytes: number): number {
  const data = BLOCK_BYTES / sectorBytes;
  const withParity = data + parity * Math.ceil(data / (columns - parity));
  return data / (Math.ceil(withParity / (parity + 1)) * (parity + 1));
}

/** Kept free by ZFS for itself: a 32nd, between 128 MiB (or half of a tiny pool) and 128 GiB (spa_get_slop_space). */
const slop = (bytes: number): number =>
  Math.min(128 * 1024 * MIB, Math.max(bytes / 32, Math.min(bytes / 2, 128 * MIB)));

export function usableBytes(request: {
  layout: string;
  options: Record<string, unknown>;
  driveSizesBytes: number[];
}): number {
  const { layout } = request;
  const sizes = request.driveSizesBytes.map((size) => Math.max(0, size - OVERHEAD_BYTES));
  if (!isLayout(layout) || sizes.length < fewestDrives(layout)) return 0;
  const parity = PARITY[layout];
  const ashift = Number(request.options.ashift ?? 12);
  const sector = 2 ** (ashift || 12);
  const total =
    layout === 'stripe'
      ? sizes.reduce((sum, size) => sum + size, 0)
      : layout === 'mirror'
        ? mirrorsOf(sizes).reduce((sum, group) => sum + Math.min(...group), 0)
        : Math.min(...sizes) * sizes.length * raidzRatio(sizes.length, parity, sector);
  return Math.max(0, Math.floor(total - slop(total)));
}
