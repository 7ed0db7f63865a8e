import { z } from 'zod';
import type { PreviewResult } from '$lib/shared/wire/operations';
import { proposalRequest, type Proposal } from '$lib/shared/wire/proposals';
import { operatorProcedure, router, viewerProcedure } from '../init';
import { confirmCode, previewOf } from '../preview';

const one = z.strictObject({ id: z.string().max(100) });

export const proposalsRouter = router({
  list: viewerProcedure.query(({ ctx }): Proposal[] => ctx.services.proposals.list()),
  /** All of them, and again when one comes or is decided. */
  onChange: viewerProcedure.subscription(async function* ({ ctx, signal }): AsyncGenerator<Proposal[], void> {
    let wake: (() => void) | null = null;
    let isNew = true;
    const tell = (): void => {
      isNew = true;
      wake?.();
    };
    const end = ctx.services.bus.on('proposals.changed', tell);
    signal?.addEventListener('abort', tell);
    try {
      while (!signal?.aborted) {
        if (isNew) {
          isNew = false;
          yield ctx.services.proposals.list();
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      end();
      signal?.removeEventListener('abort', tell);
    }
  }),
  propose: operatorProcedure
    .input(proposalRequest)
    .mutation(({ ctx, input }): Promise<Proposal> => ctx.services.proposals.propose(ctx.actor, input)),
  /** The plan as it would be now, or why there is none. */
  preview: operatorProcedure
    .input(one)
    .query(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.proposals.preview(input.id)),
    ),
  approve: operatorProcedure
    .input(one.extend({ confirmCode }))
    .mutation(({ ctx, input }): Promise<Proposal> =>
      ctx.services.proposals.approve(input.id, ctx.actor, input.confirmCode ?? null),
    ),
  reject: operatorProcedure
    .input(one)
    .mutation(({ ctx, input }): Proposal => ctx.services.proposals.reject(input.id, ctx.actor)),
});
