/** What the host has for guests. */
import { cpus, freemem, totalmem } from 'node:os';

export interface HostSize {
  cpus: number;
  memoryBytes: number;
  /** As the kernel counts it (MemAvailable): free, or given back when it is asked for. */
  availableBytes: number;
}

// Asked on every change of a machine, and the kernel's answer takes a millisecond to read: they do not come and go.
const CPUS = cpus().length;

export const hostSize = (): HostSize => ({
  cpus: CPUS,
  memoryBytes: totalmem(),
  availableBytes: freemem(),
});
