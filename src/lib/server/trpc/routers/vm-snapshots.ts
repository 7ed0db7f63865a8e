import { z } from 'zod';
import type { Operation, PreviewResult } from '$lib/shared/wire/operations';
import { vmSnapshotRequest, type VmSnapshots } from '$lib/shared/wire/vm-snapshots';
import { previewSnapshot, startSnapshot } from '../../vms/snapshot-operations';
import { operatorProcedure, router, viewerProcedure } from '../init';
import { previewOf } from '../preview';

const one = z.strictObject({ id: z.string().min(1).max(200) });

export const vmSnapshotsRouter = router({
  /** Read from the engine now. */
  read: viewerProcedure
    .input(one)
    .query(({ ctx, input }): Promise<VmSnapshots> => ctx.services.vms.snapshots.read(input.id)),
  /** All of one machine, and again when they have changed, as long as somebody looks. */
  onChange: viewerProcedure.input(one).subscription(({ ctx, input, signal }) => {
    const { id } = ctx.services.vms.get(input.id);
    return ctx.services.vms.snapshots.follow(id, signal);
  }),
  /** The plan of taking, restoring or deleting one: what is lost, and the code that confirms it. */
  preview: operatorProcedure
    .input(z.strictObject({ request: vmSnapshotRequest }))
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => previewSnapshot(ctx.services.operations, input.request)),
    ),
  start: operatorProcedure
    .input(z.strictObject({ request: vmSnapshotRequest, confirmCode: z.string().max(200).nullish() }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      startSnapshot(ctx.services.operations, input.request, {
        actor: ctx.actor,
        confirmCode: input.confirmCode ?? null,
      }),
    ),
});
