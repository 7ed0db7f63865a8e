/** Whether an update has room: said before anything is got, rather than when a disk is full. */
import { stat, statfs } from 'node:fs/promises';
import { formatBytes } from '$lib/shared/units';
import { AppError } from '../errors';

/** A release takes about three and a half times the room of its archive (Node is most of it); with room to spare. */
const UNPACKED_TIMES = 5;
/** For what else is written on the disk meanwhile. */
const LEFT_BYTES = 64 * 1024 ** 2;

export interface Need {
  path: string;
  bytes: number;
}
interface Disk {
  device: number;
  freeBytes: number;
}

async function diskAt(path: string): Promise<Disk> {
  const [{ dev }, { bavail, bsize }] = await Promise.all([stat(path), statfs(path)]);
  return { device: dev, freeBytes: bavail * bsize };
}

/**
 * @param needs two paths on one disk need the sum of both
 * @throws AppError update_no_room
 */
export async function requireRoom(
  needs: Need[],
  look: (path: string) => Promise<Disk> = diskAt,
): Promise<void> {
  const disks = new Map<number, Disk & Need>();
  for (const { path, bytes } of needs) {
    const disk = await look(path);
    const before = disks.get(disk.device) ?? { path, bytes: LEFT_BYTES };
    disks.set(disk.device, { ...disk, path: before.path, bytes: before.bytes + bytes });
  }
  const full = [...disks.values()].filter(({ bytes, freeBytes }) => freeBytes < bytes);
  if (full.length > 0)
    throw new AppError(
      'update_no_room',
      full
        .map(
          ({ path, bytes, freeBytes }) =>
            `The disk of ${path} has ${formatBytes(freeBytes)} free; the update needs ${formatBytes(bytes)} there for a while.`,
        )
        .join(' '),
    );
}

/** The archive and the saved database in the data directory, the version itself beside the one that runs. */
export async function needsOf(
  archiveBytes: number,
  { home, updatesDir, databasePath }: { home: string; updatesDir: string; databasePath: string },
): Promise<Need[]> {
  const { size } = await stat(databasePath);
  return [
    { path: updatesDir, bytes: archiveBytes + size },
    { path: home, bytes: UNPACKED_TIMES * archiveBytes },
  ];
}
