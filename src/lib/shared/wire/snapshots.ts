/** Snapshots of a pool: what there is, what is made by the clock, and what may be asked for. */
import { z } from 'zod';
import { SNAPSHOT_TIERS, type SnapshotTier } from '../snapshot-tiers';

/** When, by the clock of the appliance. Which of them count follows from the tier. */
export const snapshotTiming = z.strictObject({
  minute: z.int().min(0).max(59).default(0),
  hour: z.int().min(0).max(23).default(3),
  /** 0 is Sunday. */
  weekday: z.int().min(0).max(6).default(0),
  /** Of the month; every month has 28. */
  day: z.int().min(1).max(28).default(1),
});
export type SnapshotTiming = z.infer<typeof snapshotTiming>;

export const snapshotPlanRequest = z.strictObject({
  tier: z.enum(SNAPSHOT_TIERS),
  timing: snapshotTiming,
  /** So many of this tier stay; older ones that the schedule made are removed. */
  keep: z.int().min(1).max(1_000),
});
export type SnapshotPlanRequest = z.infer<typeof snapshotPlanRequest>;
export const snapshotScheduleRequest = snapshotPlanRequest.extend({ enabled: z.boolean().default(true) });
export type SnapshotScheduleRequest = z.infer<typeof snapshotScheduleRequest>;

const poolGroupGuid = z.uuid().transform((value) => value.toLowerCase());
const name = z.string().min(1).max(200);
export const snapshotRequest = z.discriminatedUnion('verb', [
  /** Without a name it gets one with the time in it. */
  z.strictObject({ verb: z.literal('create'), poolGroupGuid, name: name.optional() }),
  z.strictObject({ verb: z.literal('delete'), poolGroupGuid, name }),
  z.strictObject({ verb: z.literal('roll-back'), poolGroupGuid, name }),
]);
export type SnapshotRequest = z.infer<typeof snapshotRequest>;

export interface Snapshot {
  name: string;
  /** Milliseconds since the epoch; null: nobody knows. */
  createdAt: number | null;
  /** `roll-back`: what was there before a roll back. `outside`: made by something else than this Cairn. */
  origin: 'person' | 'schedule' | 'roll-back' | 'outside';
  /** Who asked for it; null: not known. */
  madeBy: string | null;
  tier: SnapshotTier | null;
  readOnly: boolean;
  /** Neither a schedule nor a person removes it before the protection is taken away. */
  protected: boolean;
  /** Space that would be free without it; null: its tools do not say. */
  exclusiveBytes: number | null;
  /** Folder where its files can be read now. */
  path: string | null;
}
export interface SnapshotSchedule extends SnapshotScheduleRequest {
  /** "Every day at 03:00". */
  text: string;
  nextRunAt: number | null;
  lastRunAt: number | null;
  /** Why the last run failed; null: it did not. */
  lastError: string | null;
}
export interface PoolSnapshots {
  /** GUID of the pool. */
  id: string;
  /** Why no snapshot can be made; null: it can. */
  createWhy: string | null;
  /** Why it cannot be rolled back; null: it can. */
  rollBackWhy: string | null;
  /** Can the space that one holds be measured? */
  measurable: boolean;
  /** Newest first. */
  snapshots: Snapshot[];
  schedules: SnapshotSchedule[];
  /** Why they could not be read; null: they were. */
  error: string | null;
  readAt: number | null;
}
export interface SchedulePreview {
  text: string;
  nextRunsAt: number[];
  /** "The newest 24 are kept: about a day." */
  keeps: string;
}

export interface SnapshotFile {
  name: string;
  kind: 'file' | 'folder' | 'link' | 'other';
  sizeBytes: number | null;
  modifiedAt: number;
}
export interface SnapshotFolder {
  /** Below the snapshot, without a slash at its begin; empty: its root. */
  path: string;
  entries: SnapshotFile[];
  /** There are more than are shown. */
  more: boolean;
}
