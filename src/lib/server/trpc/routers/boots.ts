import { z } from 'zod';
import type { BootPage, BootReport } from '$lib/shared/wire/boots';
import { operatorProcedure, router, viewerProcedure } from '../init';

export const bootsRouter = router({
  /** A report for each start, the newest first. */
  page: viewerProcedure
    .input(
      z.strictObject({
        before: z
          .string()
          .regex(/^\d{1,15}$/)
          .nullish(),
        limit: z.number().int().min(1).max(100).default(20),
      }),
    )
    .query(({ ctx, input }): BootPage => ctx.services.boots.page(input)),
  /** Read: it leaves the overview. */
  dismiss: operatorProcedure
    .input(z.strictObject({ id: z.string().max(20) }))
    .mutation(({ ctx, input }): BootReport => ctx.services.boots.dismiss(input.id)),
});
