/** What a machine can have besides what every machine has. */
import type { Availability, PluginContext } from './storage';
import type { VmSpec } from './vm';

/** sockets × cores × threads are its CPUs. */
export interface VmTopology {
  sockets: number;
  /** Of each socket. */
  cores: number;
  /** Of each core. */
  threads: number;
}

/** Absolute paths on the host: the program of a UEFI, and what its memory begins as. */
export interface FirmwareFiles {
  loaderPath: string;
  templatePath: string;
}
/** The UEFI that a machine starts by. */
export interface VmFirmware extends FirmwareFiles {
  secure: boolean;
  /** What it remembers; absolute, in the machine's folder. */
  nvramPath: string;
}
export type FirmwareOffer = FirmwareFiles | { reason: string; remedy: string };
/** What this host can give to a machine, or why not. */
export interface VmFirmwareOffers {
  uefi: FirmwareOffer;
  'uefi-secure': FirmwareOffer;
  /** Version 2.0, emulated. */
  tpm: Availability;
  /** Processors that a machine can be told to have; empty: none can be chosen. */
  cpuModels: string[];
}
/** Of a machine. */
export interface VmStartsBy {
  /** Without this it starts by BIOS. */
  firmware?: VmFirmware;
  /** Version 2.0, emulated; its engine keeps what is in it outside of the machine's folder. */
  tpm?: true;
}
/** Of a machine. */
export interface VmHas extends VmStartsBy {
  /** Its disks and network cards are such that every system has drivers for them, and slower; without this they are virtio. */
  devices?: 'common';
  /** The processor that its guest sees, one of those that the engine offers; without this the host's, or all that can be emulated. */
  cpuModel?: string;
}
/** Of an engine. */
export interface VmFirmwareSource {
  read(context: PluginContext, virtType: 'kvm' | 'qemu'): Promise<VmFirmwareOffers>;
  /** Pure. Absolute; there from the first start of a machine with a TPM on. */
  tpmFolder(spec: { id: string }): string;
  /** Pure. In the machine's folder, with what its snapshots hold besides disks; null: nothing. */
  statesFolder(spec: VmSpec): string | null;
}

/** A disk within another file, which is copied from there: `name` is what qemu-img opens it by, with its format. */
export interface VmPackedDisk {
  name: string;
  how: 'unpack';
  /** Of the disk that the guest sees. */
  virtualBytes: number;
}
