import { z } from 'zod';
import type { Operation, PlanPreview, PreviewResult } from '$lib/shared/wire/operations';
import type { CapacityEstimate, CapacityPlan } from '$lib/shared/wire/plugins';
import { SAMPLE_RANGES, type PoolEventPage, type PoolSample } from '$lib/shared/wire/pool-history';
import type { MountProcess, Pool } from '$lib/shared/wire/pools';
import {
  capacityRequest,
  estimateRequest,
  poolChangeRequest,
  poolCreateRequest,
} from '$lib/shared/wire/requests';
import { changePoolBy, previewChange } from '../../pools/change-operations';
import { createPool, previewPool, removePool } from '../../pools/create';
import { previewOf } from '../preview';
import { operatorProcedure, router, viewerProcedure } from '../init';

const guid = z.string().min(1).max(100);
const one = z.strictObject({ guid });
const confirmCode = z.string().max(200).nullish();

export const poolsRouter = router({
  list: viewerProcedure.query(({ ctx }): Pool[] => ctx.services.pools.list()),
  get: viewerProcedure.input(one).query(({ ctx, input }): Pool => ctx.services.pools.get(input.guid)),
  /** Size and fault tolerance of a half-filled form. */
  estimate: viewerProcedure
    .input(estimateRequest)
    .query(({ ctx, input }): CapacityEstimate => ctx.services.plugins.estimate(input)),
  /** Drives of mixed sizes in a layout, now and with more of them. */
  planCapacity: viewerProcedure
    .input(capacityRequest)
    .query(({ ctx, input: { now, then, ...rest } }): { now: CapacityPlan; then: CapacityPlan } => {
      const of = (driveSizesBytes: number[]) =>
        ctx.services.plugins.planCapacity({ ...rest, driveSizesBytes });
      return { now: of(now), then: of(then) };
    }),
  preview: operatorProcedure
    .input(z.strictObject({ request: poolCreateRequest }))
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => previewPool(ctx.services, input.request)),
    ),
  /** Asked twice with the same GUID, it is the same pool and the same answer. */
  create: operatorProcedure
    .input(z.strictObject({ request: poolCreateRequest, confirmCode }))
    .mutation(({ ctx, input }): Promise<{ poolGroupGuid: string; operation: Operation }> =>
      createPool(ctx.services, input.request, { actor: ctx.actor, confirmCode: input.confirmCode ?? null }),
    ),
  previewRemove: operatorProcedure
    .input(one)
    .query(({ ctx, input }): Promise<PlanPreview> =>
      ctx.services.operations.preview('pool.remove', { poolGroupGuid: input.guid }),
    ),
  remove: operatorProcedure
    .input(one.extend({ confirmCode }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      removePool(ctx.services, input.guid, { actor: ctx.actor, confirmCode: input.confirmCode ?? null }),
    ),
  mount: operatorProcedure.input(one).mutation(({ ctx, input }): Promise<Operation> =>
    ctx.services.operations.start({
      kind: 'pool.mount',
      request: { poolGroupGuid: input.guid },
      actor: ctx.actor,
    }),
  ),
  unmount: operatorProcedure.input(one).mutation(({ ctx, input }): Promise<Operation> =>
    ctx.services.operations.start({
      kind: 'pool.unmount',
      request: { poolGroupGuid: input.guid },
      actor: ctx.actor,
    }),
  ),
  rename: operatorProcedure
    .input(one.extend({ label: z.string().max(200) }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({
        kind: 'pool.rename',
        request: { poolGroupGuid: input.guid, label: input.label },
        actor: ctx.actor,
      }),
    ),
  /** The plan of any change of a pool that is there: new or other drives, scrub, balance, release. */
  previewChange: operatorProcedure
    .input(z.strictObject({ request: poolChangeRequest }))
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => previewChange(ctx.services.operations, input.request)),
    ),
  change: operatorProcedure
    .input(z.strictObject({ request: poolChangeRequest, confirmCode }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      changePoolBy(ctx.services.operations, input.request, {
        actor: ctx.actor,
        confirmCode: input.confirmCode ?? null,
      }),
    ),
  /** Processes that keep the pool from being unmounted, read now. */
  processes: viewerProcedure
    .input(one)
    .query(({ ctx, input }): Promise<MountProcess[]> => ctx.services.pools.processes(input.guid)),
  /** Ends the chosen ones: refused for any that does not use the pool, and for Cairn itself. */
  endProcesses: operatorProcedure
    .input(one.extend({ pids: z.array(z.number().int().min(1)).min(1).max(100) }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({
        kind: 'pool.end-processes',
        request: { poolGroupGuid: input.guid, pids: input.pids },
        actor: ctx.actor,
      }),
    ),
  /** Used space over time, oldest first, at most 400 points. */
  usage: viewerProcedure
    .input(one.extend({ range: z.enum(SAMPLE_RANGES) }))
    .query(({ ctx, input }): PoolSample[] => ctx.services.samples.range(input.guid, input.range)),
  /** What happened to the pool, newest first; also of one that is gone. */
  history: viewerProcedure
    .input(
      one.extend({
        before: z.number().int().nullish(),
        limit: z.number().int().min(1).max(200).default(25),
      }),
    )
    .query(({ ctx, input }): PoolEventPage => ctx.services.history.page(input.guid, input)),
});
