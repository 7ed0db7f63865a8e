/** What a machine can have besides what every machine has: as it is asked for, and as it is told. */
import { z } from 'zod';
import { FIRMWARE_KINDS, type FirmwareKind } from '../firmware-kinds';
import { VM_DEVICES, type VmDevices } from '../vm-devices';

export const vmHasWish = {
  /** What it starts by; uefi-secure: by UEFI, which starts only what is signed by a key that it knows. */
  firmware: z.enum(FIRMWARE_KINDS).default('bios'),
  /** virtio: fast, and its guest needs drivers for it. common: SATA disks and Intel network cards, which every system knows. */
  devices: z.enum(VM_DEVICES).default('virtio'),
  /** An emulated one, version 2.0. */
  tpm: z.boolean().default(false),
  /** The processor that its guest sees, as QEMU calls it (`Nehalem`); null: the one of the host, or all that can be emulated. */
  cpuModel: z.string().max(64).nullable().default(null),
};

export interface VmHasView {
  /** What its disks and network cards are. */
  devices: VmDevices;
  /** What it starts by; uefi-secure: by UEFI with secure boot. */
  firmware: FirmwareKind;
  /** It has one, version 2.0, emulated. */
  tpm: boolean;
  /** The processor that its guest sees, as QEMU calls it; null: the one of the host, or all that can be emulated. */
  cpuModel: string | null;
}
