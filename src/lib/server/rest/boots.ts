import { z } from 'zod';
import { answer, json } from './answer';

const pageQuery = z.strictObject({
  before: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

/** What happened while Cairn was off, a report for each start, the newest first. */
export const listBoots = answer('viewer', ({ services, event }) =>
  json(services.boots.page(pageQuery.parse(Object.fromEntries(event.url.searchParams)))),
);
export const getBoot = answer('viewer', ({ services, param }) => json(services.boots.get(param('id'))));
/** Read: it leaves the overview. */
export const dismissBoot = answer('operator', ({ services, param }) =>
  json(services.boots.dismiss(param('id'))),
);
