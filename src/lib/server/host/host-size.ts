/** What the host has for guests. */
import { cpus, freemem, totalmem } from 'node:os';

export interface HostSize {
  cpus: number;
  memoryBytes: number;
  /** As the kernel counts it (MemAvailable): free, or given back when it is asked for. */
  availableBytes: number;
}

export const hostSize = (): HostSize => ({
  cpus: cpus().length,
  memoryBytes: totalmem(),
  availableBytes: freemem(),
});
