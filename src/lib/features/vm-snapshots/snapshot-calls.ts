/** Plan and start of what is to be done with a snapshot of a machine. Browser only. */
import { trpc } from '$lib/client/trpc';
import type { VmSnapshotRequest } from '$lib/shared/wire/vm-snapshots';
import type { PlanCalls } from '../operations/confirmed-plan.svelte';

export const snapshotCalls = (request: VmSnapshotRequest): PlanCalls => ({
  preview: () => trpc().vmSnapshots.preview.mutate({ request }),
  start: (confirmCode) => trpc().vmSnapshots.start.mutate({ request, confirmCode }),
});
