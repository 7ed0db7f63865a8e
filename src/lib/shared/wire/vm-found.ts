/** Machines that an engine knows and the records do not, as pages and scripts see them. */
import { z } from 'zod';
import type { Issue } from '../error-codes';

export interface FoundVm {
  /** UUID; its record has the same when it was adopted. */
  id: string;
  name: string;
  plugin: string;
  state: 'running' | 'paused' | 'stopping' | 'stopped' | 'saved' | 'crashed';
  cpus: number;
  memoryBytes: number;
  disks: {
    /** `vda` */
    target: string;
    /** A path, or what it is instead. */
    source: string;
    /** null: nobody tells. */
    sizeBytes: number | null;
    /** Label of the pool that it lies on; null: it lies on none. */
    pool: string | null;
  }[];
  /** Paths of what is in its drives. */
  media: string[];
  cards: { mac: string; network: string }[];
  /** It lies where a Cairn makes machines, and as it makes them: its record comes back whole. */
  byCairn: boolean;
  /** Why it cannot be adopted; none: it can. */
  issues: Issue[];
}
/** `GET /api/v1/found-vms` */
export interface FoundVms {
  machines: FoundVm[];
  /** Why they could not be read; null: they were. */
  error: string | null;
}

/** `POST /api/v1/found-vms/{id}/adopt` */
export const vmAdoptRequest = z.strictObject({
  vmId: z.uuid().transform((value) => value.toLowerCase()),
  /** The VM plugin that knows it; without it the one that does. */
  plugin: z.string().min(1).max(64).optional(),
});
