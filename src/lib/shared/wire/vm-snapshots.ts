/** Snapshots of machines, as pages and scripts see them, and what may be sent about them. */
import { z } from 'zod';
import { VM_SNAPSHOT_TEXT_MAX } from '../vm-limits';

/** A state that the machine's engine keeps: disk and definition, perhaps memory. */
export interface VmSnapshot {
  name: string;
  createdAt: number;
  description: string | null;
  /** Name of the one that it was made upon; null: of none that is still there. */
  parent: string | null;
  /** The machine goes on from this one. */
  isCurrent: boolean;
  /** running, paused: its memory is in it too, and it goes on like that when it is restored. */
  wasIn: 'running' | 'paused' | 'off';
  /** Of the memory in it, on the disk; null: it has none, or that is not known. */
  memoryBytes: number | null;
  /** What the machine had then, and gets again. */
  size: { cpus: number; memoryBytes: number };
  /** Why it cannot be restored; null: it can. */
  restoreWhy: string | null;
  /** Why it cannot be deleted; null: it can. */
  deleteWhy: string | null;
}
export interface VmSnapshots {
  /** UUID of the machine. */
  id: string;
  /** Oldest first. */
  snapshots: VmSnapshot[];
  /** Why none can be taken now; null: one can. */
  takeWhy: string | null;
  /** Names that its disks have and its engine does not know: nothing can be done with them here. */
  strays: string[];
  /** Why they could not be read; null: they were. */
  error: string | null;
  readAt: number;
}

const vmId = z.uuid().transform((value) => value.toLowerCase());
const name = z.string().min(1).max(200);
/** One line. */
const description = z
  .string()
  .trim()
  .max(VM_SNAPSHOT_TEXT_MAX)
  .regex(/^\P{Cc}*$/u, 'is more than one line');

export const vmSnapshotTakeRequest = z.strictObject({ vmId, name, description: description.optional() });
export const vmSnapshotDeleteRequest = z.strictObject({ vmId, name });
/** `keepAs`: what is there now is kept under this name first, so that nothing is lost. */
export const vmSnapshotRestoreRequest = z.strictObject({ vmId, name, keepAs: name.optional() });

/** `POST /api/v1/vms/{id}/snapshots/preview`, `vmSnapshots.preview` and `vmSnapshots.start`. */
export const vmSnapshotRequest = z.discriminatedUnion('verb', [
  vmSnapshotTakeRequest.extend({ verb: z.literal('take') }),
  vmSnapshotRestoreRequest.extend({ verb: z.literal('restore') }),
  vmSnapshotDeleteRequest.extend({ verb: z.literal('delete') }),
]);
export type VmSnapshotRequest = z.infer<typeof vmSnapshotRequest>;
