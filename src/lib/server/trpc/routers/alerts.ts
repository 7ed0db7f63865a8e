import { z } from 'zod';
import type { Alert, AlertList } from '$lib/shared/wire/alerts';
import { operatorProcedure, router, viewerProcedure } from '../init';

export const alertsRouter = router({
  /** All open ones, and a page of those that are over. */
  list: viewerProcedure
    .input(
      z.strictObject({
        before: z.string().max(500).nullish(),
        limit: z.number().int().min(1).max(200).default(25),
      }),
    )
    .query(({ ctx, input }): AlertList => ctx.services.alerts.list(input)),
  /** Seen: it stays until it is resolved, and calls no more. */
  acknowledge: operatorProcedure
    .input(z.strictObject({ id: z.string().max(500) }))
    .mutation(({ ctx, input }): Alert => ctx.services.alerts.acknowledge(input.id, ctx.actor)),
});
