import { tracked } from '@trpc/server';
import { z } from 'zod';
import { router, viewerProcedure } from '../init';
import { feedMessages } from '../feed-stream';

export const feedRouter = router({
  /** The documents of every page and each change to them; with a cursor, only what came after it. */
  live: viewerProcedure
    .input(z.strictObject({ lastEventId: z.string().max(100).nullish() }))
    .subscription(async function* ({ ctx, input, signal }) {
      for await (const message of feedMessages(ctx.services.feed, input.lastEventId ?? null, signal))
        yield tracked(`${message.epoch}:${message.seq}`, message);
    }),
});
