/** Machines that were removed and can still come back. */
import { z } from 'zod';

export const KEEP_DAYS = 7;

export interface RemovedVm {
  /** UUID that it had, and has again when it comes back. */
  id: string;
  name: string;
  cpus: number;
  memoryBytes: number;
  /** Of all its disks together. */
  diskBytes: number;
  /** Of the pool, that its files still take. */
  takenBytes: number;
  pool: { guid: string; label: string };
  /** Absolute. */
  folder: string;
  /** Why nothing can be done with it now; null: something can. */
  blocked: string | null;
  removedAt: number;
  /** Milliseconds since the epoch; then it is emptied by itself. */
  keptUntil: number;
  /** Live operation on it. */
  operationId: string | null;
}

/** `GET /api/v1/removed-vms` */
export interface RemovedVms {
  machines: RemovedVm[];
  /** So long one is kept that is removed from now on. */
  keepDays: number;
}

/** `PUT /api/v1/removed-vms/settings`: counts for what is removed from then on. */
export const removedVmSettings = z.strictObject({ keepDays: z.number() });
