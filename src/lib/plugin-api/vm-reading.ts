/** What an engine says of a machine. */

/** What the engine says now. saved: off, with its memory on disk. crashed: its process ended without having been asked to. */
export const VM_STATUSES = ['running', 'paused', 'stopping', 'stopped', 'saved', 'crashed'] as const;
export type VmStatus = (typeof VM_STATUSES)[number];
export interface VmReading {
  id: string;
  name: string;
  status: VmStatus;
}
