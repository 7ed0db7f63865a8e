/** Which mounts a pool could be part of: a host that runs containers mounts something all day, and drives are to sleep. */
import { isRemote } from '../host/mounts';
import type { MountEntry } from '../host/types';

/** Devices that are made of others: only a plugin knows of which. */
const MADE_OF_OTHERS = /^\/dev\/(?:md|dm-|mapper\/|zd|disk\/)/;

/**
 * @param driveIdOf the drive that a device is on; null: none that is known
 * @returns what would be another text if any pool's mount came, went, or became read-only; not what containers, services and
 *   people mount elsewhere
 */
export function mountsOfPools(
  mounts: readonly MountEntry[],
  pools: readonly { mountPath: string; drives: readonly { driveId: string }[] }[],
  driveIdOf: (device: string) => string | null,
): string {
  const paths = new Set(pools.map(({ mountPath }) => mountPath));
  const ours = new Set(pools.flatMap(({ drives }) => drives.map(({ driveId }) => driveId)));
  const concerns = (mount: MountEntry): boolean => {
    if (paths.has(mount.path) || mount.filesystem === 'zfs' || isRemote(mount)) return true;
    if (!mount.source.startsWith('/dev/')) return false;
    if (MADE_OF_OTHERS.test(mount.source)) return true;
    const driveId = driveIdOf(mount.source);
    return driveId !== null && ours.has(driveId);
  };
  return JSON.stringify(
    mounts
      .filter(concerns)
      .map(({ path, source, majorMinor, readOnly }) => [path, source, majorMinor, readOnly]),
  );
}
