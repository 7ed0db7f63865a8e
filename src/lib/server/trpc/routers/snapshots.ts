import { z } from 'zod';
import type { Operation, PreviewResult } from '$lib/shared/wire/operations';
import {
  snapshotPlanRequest,
  snapshotRequest,
  snapshotScheduleRequest,
  type PoolSnapshots,
  type SchedulePreview,
  type SnapshotFolder,
} from '$lib/shared/wire/snapshots';
import { SNAPSHOT_TIERS } from '$lib/shared/snapshot-tiers';
import { previewSnapshot, startSnapshot } from '../../snapshots/operations';
import { previewSchedule } from '../../snapshots/timing';
import { operatorProcedure, router, viewerProcedure } from '../init';
import { previewOf } from '../preview';

const one = z.strictObject({ guid: z.string().min(1).max(100) });
const named = one.extend({ name: z.string().min(1).max(200) });

export const snapshotsRouter = router({
  /** Read from the pool now: what was made in a shell is seen too. */
  read: viewerProcedure
    .input(one)
    .query(({ ctx, input }): Promise<PoolSnapshots> => ctx.services.snapshots.read(input.guid)),
  /** The plan of taking, removing or going back to one. */
  preview: operatorProcedure
    .input(z.strictObject({ request: snapshotRequest }))
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => previewSnapshot(ctx.services.operations, input.request)),
    ),
  start: operatorProcedure
    .input(z.strictObject({ request: snapshotRequest }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      startSnapshot(ctx.services.operations, input.request, ctx.actor),
    ),
  /** What is in a folder of a snapshot; never outside of it. */
  files: operatorProcedure
    .input(named.extend({ path: z.string().max(8_192).default('') }))
    .query(({ ctx, input }): Promise<SnapshotFolder> =>
      ctx.services.snapshots.files(input.guid, input.name, input.path),
    ),
  /** Bytes that would be free without it: may take minutes. */
  measure: operatorProcedure
    .input(named)
    .query(({ ctx, input }): Promise<number> => ctx.services.snapshots.measure(input.guid, input.name)),
  /** Nobody removes it, neither a schedule nor a person, until this is taken back. */
  protect: operatorProcedure
    .input(named.extend({ value: z.boolean() }))
    .mutation(({ ctx, input }): Promise<PoolSnapshots> =>
      ctx.services.snapshots.protect(input.guid, input.name, input.value),
    ),
  schedule: operatorProcedure
    .input(one.extend({ schedule: snapshotScheduleRequest }))
    .mutation(({ ctx, input }): PoolSnapshots => ctx.services.snapshots.schedule(input.guid, input.schedule)),
  unschedule: operatorProcedure
    .input(one.extend({ tier: z.enum(SNAPSHOT_TIERS) }))
    .mutation(({ ctx, input }): PoolSnapshots => ctx.services.snapshots.unschedule(input.guid, input.tier)),
  /** When a schedule would run, by the appliance's clock, and what stays. */
  previewSchedule: viewerProcedure
    .input(snapshotPlanRequest)
    .query(({ ctx, input }): SchedulePreview => previewSchedule(input, ctx.services.clock.now())),
});
