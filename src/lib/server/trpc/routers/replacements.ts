import { z } from 'zod';
import type { Operation, PreviewResult } from '$lib/shared/wire/operations';
import { begunReplacement, chosenReplacement, type Replacement } from '$lib/shared/wire/replacements';
import { operatorProcedure, router, viewerProcedure } from '../init';
import { previewOf } from '../preview';

const guid = z.string().min(1).max(100);
const one = z.strictObject({ guid });

/** "Which one do I pull": a drive of a pool is replaced step by step. How far it is comes with the feed. */
export const replacementsRouter = router({
  get: viewerProcedure
    .input(one)
    .query(({ ctx, input }): Replacement => ctx.services.replacements.get(input.guid)),
  begin: operatorProcedure
    .input(one.extend(begunReplacement.shape))
    .mutation(({ ctx, input }): Replacement =>
      ctx.services.replacements.begin(input.guid, input.slot, ctx.actor),
    ),
  choose: operatorProcedure
    .input(one.extend(chosenReplacement.shape))
    .mutation(({ ctx, input: { guid: pool, way, freshId } }): Replacement =>
      ctx.services.replacements.choose(pool, {
        ...(way ? { way } : {}),
        ...(freshId === undefined ? {} : { freshId }),
      }),
    ),
  preview: operatorProcedure
    .input(one)
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.replacements.preview(input.guid)),
    ),
  rebuild: operatorProcedure
    .input(one.extend({ confirmCode: z.string().max(200).nullish() }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.replacements.rebuild(input.guid, {
        actor: ctx.actor,
        confirmCode: input.confirmCode ?? null,
      }),
    ),
  /** Forgets how far it was; what was done to drives stays. */
  end: operatorProcedure.input(one).mutation(({ ctx, input }): { ok: true } => {
    ctx.services.replacements.end(input.guid);
    return { ok: true };
  }),
});
