/** The host, as those see it who make machines on it. */
import type { FirmwareKind } from '../firmware-kinds';

/** What a new machine can have at most now, for the form, and how long one is kept that is removed. */
export interface VmHost {
  id: 'host';
  cpus: number;
  memoryBytes: number;
  /** Not promised to a machine that is on. */
  freeMemoryBytes: number;
  virtType: 'kvm' | 'qemu';
  /** Why guests are emulated; null: they are not. */
  virtText: string | null;
  /** Why a new machine cannot have it on this host; null: it can. Known after somebody has had it tried out. */
  firmware: Record<Exclude<FirmwareKind, 'bios'> | 'tpm', string | null>;
  /** The processors that a new machine can be told to have, see `cpuModel`; known when `firmware` is. */
  cpuModels: string[];
  /** Days. */
  keepRemovedDays: number;
}
