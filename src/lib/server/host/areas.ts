/**
 * Pieces of a drive in a file, so that erasing can be taken back. wipefs(8) only writes zeroes over signatures: while each
 * byte of every piece is as it was saved, or zero, nobody else has written there, and writing the pieces back loses nothing.
 *
 * The file: one line of JSON (drive, size, place, length and SHA-256 of each piece), then the pieces, one after the other.
 * The drive is opened for ourselves alone (O_EXCL, open(2)): the kernel refuses while it is mounted or part of something.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Action, Area } from '$lib/plugin-api/plan';
import { AppError } from '../errors';

const area = z.object({
  offsetBytes: z.number().int().nonnegative(),
  lengthBytes: z.number().int().positive(),
});
const header = z.object({
  format: z.literal('cairn-areas-1'),
  drive: z.string(),
  /** Numbers of the partitions that were there. */
  partitions: z.array(z.number().int().positive()),
  areas: z.array(area.extend({ sha256: z.string() })),
});
type SavedArea = z.infer<typeof header>['areas'][number];

const LONGEST_HEADER_BYTES = 1024 * 1024;
const FILE_MODE = 0o600;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const damaged = (path: string): AppError =>
  new AppError('foreign_state', `The saved areas in ${path} are damaged or of another kind.`, {
    remedy: 'Restore the file from a backup of the data directory, if there is one.',
  });

async function readPiece(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0)
      throw new AppError('command_failed', `It ends at ${offset + done}, before ${offset + length}.`);
    done += bytesRead;
  }
  return bytes;
}

async function withFile<T>(path: string, flags: number, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags, FILE_MODE).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EBUSY') throw error;
    throw new AppError('drive_in_use', `${path} is in use by something else.`, { cause: error });
  });
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Piece by piece, so that a whole backup is never in memory. */
interface Saved {
  drive: string;
  partitions: number[];
  areas: SavedArea[];
  /** @throws AppError foreign_state when the file is damaged */
  piece(area: SavedArea): Promise<Buffer>;
}

async function openSaved(file: FileHandle, path: string): Promise<Saved> {
  const { size } = await file.stat();
  const start = await readPiece(file, 0, Math.min(size, LONGEST_HEADER_BYTES));
  const end = start.indexOf('\n');
  if (end < 0) throw damaged(path);
  let value: unknown;
  try {
    value = JSON.parse(start.subarray(0, end).toString());
  } catch {
    throw damaged(path);
  }
  const parsed = header.safeParse(value);
  if (!parsed.success) throw damaged(path);
  const { drive, partitions, areas } = parsed.data;
  const places = new Map<SavedArea, number>();
  let place = end + 1;
  for (const one of areas) {
    places.set(one, place);
    place += one.lengthBytes;
  }
  if (place !== size) throw damaged(path);
  return {
    drive,
    partitions,
    areas,
    async piece(one) {
      const bytes = await readPiece(file, places.get(one) ?? 0, one.lengthBytes);
      if (sha256(bytes) !== one.sha256) throw damaged(path);
      return bytes;
    },
  };
}

/**
 * @param device path of the whole drive
 * @param path file to make, with mode 0600; complete or not there: it gets its name after it is on disk
 */
export async function saveAreas(
  device: string,
  { drive, path, areas, partitions }: Extract<Action, { do: 'save-areas' }>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.cairn-new`;
  const { O_RDONLY, O_EXCL, O_WRONLY, O_CREAT, O_TRUNC } = constants;
  await withFile(device, O_RDONLY | O_EXCL, async (source) => {
    const saved: SavedArea[] = [];
    for (const { offsetBytes, lengthBytes } of areas)
      saved.push({
        offsetBytes,
        lengthBytes,
        sha256: sha256(await readPiece(source, offsetBytes, lengthBytes)),
      });
    await withFile(temporary, O_WRONLY | O_CREAT | O_TRUNC, async (target) => {
      await target.chmod(FILE_MODE);
      await target.write(`${JSON.stringify({ format: 'cairn-areas-1', drive, partitions, areas: saved })}\n`);
      for (const { offsetBytes, lengthBytes, sha256: wanted } of saved) {
        const bytes = await readPiece(source, offsetBytes, lengthBytes);
        if (sha256(bytes) !== wanted)
          throw new AppError('drive_changed', `Something writes to ${device} while it is being saved.`);
        await target.write(bytes);
      }
      await target.sync();
    });
  });
  await rename(temporary, path);
  await withFile(dirname(path), O_RDONLY, (folder) => folder.sync());
}

/** Is the file there, whole, of this drive and with exactly these areas? Null: there is no file. */
export async function areasAreSaved(path: string, drive: string, areas: Area[]): Promise<boolean | null> {
  try {
    return await withFile(path, constants.O_RDONLY, async (file) => {
      const saved = await openSaved(file, path);
      const same =
        saved.drive === drive &&
        saved.areas.length === areas.length &&
        saved.areas.every(
          (one, index) =>
            one.offsetBytes === areas[index]?.offsetBytes && one.lengthBytes === areas[index].lengthBytes,
        );
      if (same) for (const one of saved.areas) await saved.piece(one);
      return same;
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** same: as it was saved. erased: as saved but for zeroes. other: somebody has written since. */
export type AreasState = 'same' | 'erased' | 'other';

function stateOf(saved: Buffer, now: Buffer): AreasState {
  if (saved.equals(now)) return 'same';
  return now.every((byte, index) => byte === 0 || byte === saved[index]) ? 'erased' : 'other';
}

async function compare(saved: Saved, device: FileHandle): Promise<AreasState> {
  let state: AreasState = 'same';
  for (const one of saved.areas) {
    const found = stateOf(await saved.piece(one), await readPiece(device, one.offsetBytes, one.lengthBytes));
    if (found === 'other') return 'other';
    if (found === 'erased') state = 'erased';
  }
  return state;
}

/** Numbers of the partitions that the saved drive had. @throws AppError foreign_state when the file is damaged */
export const savedPartitions = (path: string): Promise<number[]> =>
  withFile(path, constants.O_RDONLY, async (file) => (await openSaved(file, path)).partitions);

/** What is in the places of the saved areas now. @throws AppError foreign_state when the file is damaged */
export const compareAreas = (device: string, path: string): Promise<AreasState> =>
  withFile(path, constants.O_RDONLY, async (file) => {
    const saved = await openSaved(file, path);
    return withFile(device, constants.O_RDONLY, (source) => compare(saved, source));
  });

/**
 * Writes the areas back, and waits until they are on the drive. Doing it again changes nothing.
 * @throws AppError foreign_state when anything else than an erasure has happened there, or the file is damaged; drive_in_use
 */
export const writeAreas = (device: string, drive: string, path: string): Promise<void> =>
  withFile(path, constants.O_RDONLY, async (file) => {
    const saved = await openSaved(file, path);
    if (saved.drive !== drive)
      throw new AppError('foreign_state', `${path} holds the areas of another drive, ${saved.drive}.`);
    await withFile(device, constants.O_RDWR | constants.O_EXCL, async (target) => {
      if ((await compare(saved, target)) === 'other')
        throw new AppError('foreign_state', 'Something else was written to the drive since it was wiped.', {
          remedy: 'What was on it cannot be brought back by Cairn any more. Look at what is on it now.',
        });
      for (const one of saved.areas) {
        const bytes = await saved.piece(one);
        let done = 0;
        while (done < bytes.length) {
          const { bytesWritten } = await target.write(
            bytes,
            done,
            bytes.length - done,
            one.offsetBytes + done,
          );
          done += bytesWritten;
        }
      }
      await target.sync();
    });
  });

const MiB = 1024 ** 2;
const AROUND_BYTES = 64 * 1024;
const ALIGN_BYTES = 4096;

/** A drive or partition, with what wipefs would erase on it; `startBytes` from the start of the drive. */
export interface WipePlace {
  startBytes: number;
  sizeBytes: number;
  /** From the start of the place. */
  signatureOffsets: number[];
}

/**
 * What has to be saved before the signatures of these places are erased: the first and last mebibyte of each (tables, md, LVM,
 * ZFS, LUKS, filesystems), and what lies around every signature elsewhere. Pure; sorted, without overlaps.
 */
export function areasToSave(driveBytes: number, places: WipePlace[]): Area[] {
  const wanted = places.flatMap(({ startBytes, sizeBytes, signatureOffsets }) => {
    const end = startBytes + sizeBytes;
    const around = signatureOffsets.map((offset) => {
      const start = Math.floor((startBytes + offset) / ALIGN_BYTES) * ALIGN_BYTES;
      return [start, Math.min(start + AROUND_BYTES, end)] as const;
    });
    return [
      [startBytes, Math.min(startBytes + MiB, end)] as const,
      [Math.max(startBytes, end - MiB), end] as const,
      ...around,
    ];
  });
  const areas: Area[] = [];
  for (const [from, to] of wanted.toSorted((a, b) => a[0] - b[0])) {
    const last = areas.at(-1);
    const end = Math.min(to, driveBytes);
    if (last && from <= last.offsetBytes + last.lengthBytes)
      last.lengthBytes = Math.max(last.lengthBytes, end - last.offsetBytes);
    else if (end > from) areas.push({ offsetBytes: from, lengthBytes: end - from });
  }
  return areas;
}
