/** Machines that somebody else has made, as plugins tell of them. */

import type { VmFirmware, VmHas } from './vm-extras';

/** A disk of an adopted machine, never made, changed or deleted here. */
export interface VmAdoptedDisk {
  /** `vda` */
  target: string;
  /** For people: a path, or what it is instead. */
  source: string;
  /** Absolute, of a plain file; null: it is none. */
  path: string | null;
  /** null: nobody tells. */
  sizeBytes: number | null;
  /** It lies on the pool of the machine's record, and its size is promised there. */
  counted: boolean;
}

/** A machine as its engine has it, whoever made it. */
export interface VmFound {
  id: string;
  name: string;
  cpus: number;
  memoryBytes: number;
  virtType: 'kvm' | 'qemu';
  /** How its CPUs are arranged, where that is said and is no more than this. */
  topology: { sockets: number; cores: number; threads: number } | null;
  /** The UEFI that it starts by; `templatePath` empty: nobody tells. null: it starts by BIOS. */
  firmware: VmFirmware | null;
  tpm: boolean;
  /** As this plugin makes them, see VmSpec. */
  devices?: VmHas['devices'];
  cpuModel?: VmHas['cpuModel'];
  /** Its engine forgets it when it goes off. */
  isTransient: boolean;
  disks: VmFoundDisk[];
  /** What is in its drives for CDs and floppies. */
  media: { target: string; path: string | null }[];
  cards: VmFoundCard[];
}
export interface VmFoundDisk extends Omit<VmAdoptedDisk, 'counted'> {
  /** The slot whose disks this plugin makes just like that; null: it makes none like it. */
  slot: number | null;
}
export interface VmFoundCard {
  /** Lower case, with colons. */
  mac: string;
  /** For people: `network default`, `bridge br0`. */
  network: string;
  /** On the network that the plugin gives its machines. */
  isOurs: boolean;
  /** The host's bridge that it is plugged into; null: into something else. */
  bridge: string | null;
}
