/** What the form of a new machine proposes: for one that is in an OVA, as it was elsewhere; all of it can be changed. */
import type { FirmwareKind } from '$lib/shared/firmware-kinds';
import type { VmDevices } from '$lib/shared/vm-devices';
import { proposedDiskBytes } from '$lib/shared/vm-disk-size';
import type { Image, ImageMachine } from '$lib/shared/wire/images';
import { MIB } from './size';

const GIB = 1024 ** 3;
const LONGEST_NAME = 63;

interface Fields {
  name: string;
  cpus: string;
  memoryMib: string;
  diskGib: string;
  disk: 'overlay' | 'copy';
  firmware: FirmwareKind;
  devices: VmDevices;
}

/** `had`: a name that somebody has given stays, and memory that the descriptor does not tell. */
export const proposalOf = (
  { name, cpus, memoryBytes, diskBytes, isEfi, devices }: ImageMachine,
  had: Pick<Fields, 'name' | 'memoryMib'>,
): Fields => ({
  name:
    had.name ||
    (name ?? '')
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .slice(0, LONGEST_NAME)
      .replace(/^-+|-+$/g, ''),
  cpus: String(cpus),
  memoryMib: memoryBytes === null ? had.memoryMib : String(Math.ceil(memoryBytes / MIB)),
  diskGib: String((diskBytes[0] ?? 0) / GIB),
  disk: 'copy',
  firmware: isEfi ? 'uefi' : 'bios',
  devices,
});

/** What a machine is proposed to get for an image of which no more is known than what the catalog says. */
export const usualFor = ({
  defaultUser,
  minMemoryBytes,
  minDiskBytes,
}: Pick<Image, 'defaultUser' | 'minMemoryBytes' | 'minDiskBytes'>): Pick<Fields, 'memoryMib' | 'diskGib'> & {
  user: string;
} => ({
  user: defaultUser ?? 'admin',
  memoryMib: String(Math.max(minMemoryBytes ?? 0, GIB) / MIB),
  diskGib: String(proposedDiskBytes({ virtualBytes: 0, minDiskBytes }) / GIB),
});
