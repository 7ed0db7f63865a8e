import { tracked } from '@trpc/server';
import { z } from 'zod';
import type { Operation, OperationPage, OutputLine } from '$lib/shared/wire/operations';
import { operatorProcedure, router, viewerProcedure } from '../init';
import { outputLines } from '../output-stream';

const one = z.strictObject({ id: z.string().max(100) });

export const operationsRouter = router({
  page: viewerProcedure
    .input(
      z.strictObject({
        before: z.number().int().nullish(),
        limit: z.number().int().min(1).max(200).default(50),
        subjectId: z.string().max(300).nullish(),
      }),
    )
    .query(({ ctx, input }): OperationPage => ctx.services.operations.page(input)),
  get: viewerProcedure.input(one).query(({ ctx, input }): Operation => ctx.services.operations.get(input.id)),
  cancel: operatorProcedure
    .input(one)
    .mutation(({ ctx, input }): Operation => ctx.services.operations.cancel(input.id, ctx.actor)),
  retry: operatorProcedure
    .input(one)
    .mutation(({ ctx, input }): Promise<Operation> => ctx.services.operations.retry(input.id, ctx.actor)),
  /** For one that needs attention: look again and go on, or leave things as they are and free the locks. */
  resolve: operatorProcedure
    .input(one.extend({ decision: z.enum(['try-again', 'leave-as-is']) }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.resolve(input.id, input.decision, ctx.actor),
    ),
  script: viewerProcedure
    .input(one)
    .query(({ ctx, input }): string => ctx.services.operations.script(input.id)),
  outputs: viewerProcedure
    .input(one.extend({ after: z.number().int().min(0).optional() }))
    .query(({ ctx, input }): OutputLine[] => {
      ctx.services.operations.get(input.id);
      return ctx.services.operations.outputs(
        input.id,
        input.after === undefined ? {} : { after: input.after },
      );
    }),
  /** Every line from the one after `lastEventId`, in order, and new ones as they come; ends with the operation. */
  onOutput: viewerProcedure
    .input(one.extend({ lastEventId: z.string().max(30).nullish() }))
    .subscription(async function* ({ ctx, input, signal }) {
      for await (const lines of outputLines(
        ctx.services,
        input.id,
        Number(input.lastEventId ?? 0) || 0,
        signal,
      )) {
        const last = lines.at(-1);
        if (last) yield tracked(String(last.id), lines);
      }
    }),
});
