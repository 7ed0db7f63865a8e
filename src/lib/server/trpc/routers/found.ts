import { z } from 'zod';
import type { JsonObject } from '$lib/shared/json';
import type { FoundPool, Validation } from '$lib/shared/wire/found';
import type { Operation, PreviewResult } from '$lib/shared/wire/operations';
import { adoptRequest, foundRequest } from '$lib/shared/wire/requests';
import { ADOPT, adoptAllByCairn, adoptPool, PEEK, type Adopted } from '../../pools/adopt';
import { mendDifference } from '../../pools/mend';
import { previewOf } from '../preview';
import { operatorProcedure, router, viewerProcedure } from '../init';

export const foundRouter = router({
  list: viewerProcedure.query(({ ctx }): FoundPool[] => ctx.services.found.list()),
  /** Reads the drives again, and looks for pools on them. */
  refresh: operatorProcedure.mutation(async ({ ctx }): Promise<FoundPool[]> => {
    await ctx.services.drives.refresh();
    await ctx.services.found.refresh(true);
    return ctx.services.found.list();
  }),
  previewPeek: operatorProcedure
    .input(foundRequest)
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.operations.preview(PEEK, input)),
    ),
  /** Mounts it read-only for a moment, notes what is inside, unmounts it. */
  peek: operatorProcedure
    .input(foundRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: PEEK, request: input, actor: ctx.actor }),
    ),
  previewAdopt: operatorProcedure
    .input(adoptRequest)
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.operations.preview(ADOPT, input as JsonObject)),
    ),
  /** Looks inside first when nobody has. */
  adopt: operatorProcedure
    .input(adoptRequest)
    .mutation(({ ctx, input }): Promise<Operation> => adoptPool(ctx.services, input, ctx.actor)),
  adoptAllByCairn: operatorProcedure.mutation(({ ctx }): Promise<Adopted[]> =>
    adoptAllByCairn(ctx.services, ctx.actor),
  ),
  /** The records and the machine compared, now. */
  validate: viewerProcedure.query(({ ctx }): Promise<Validation> => ctx.services.validate.check()),
  /** One of the operations that the comparison offers, and only while it offers it. */
  mend: operatorProcedure
    .input(
      z.strictObject({
        kind: z.string().max(64),
        poolGuid: z.string().max(64).nullable(),
        text: z.string().max(10_000),
      }),
    )
    .mutation(({ ctx, input }): Promise<Operation> => mendDifference(ctx.services, input, ctx.actor)),
  /** Leaves it alone: it is folded away, and nothing is done to it. */
  ignore: operatorProcedure
    .input(z.strictObject({ found: z.string().min(1).max(400), on: z.boolean() }))
    .mutation(({ ctx, input }): FoundPool => ctx.services.found.ignore(input.found, input.on)),
});
