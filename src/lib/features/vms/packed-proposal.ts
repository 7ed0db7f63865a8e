/** What the form of a new machine proposes for one that is in an OVA: as it was elsewhere, and to be changed like everything else. */
import type { FirmwareKind } from '$lib/shared/firmware-kinds';
import type { VmDevices } from '$lib/shared/vm-devices';
import type { ImageMachine } from '$lib/shared/wire/images';
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
