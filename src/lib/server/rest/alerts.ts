import { z } from 'zod';
import { answer, json } from './answer';

const pageQuery = z.strictObject({
  before: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const listAlerts = answer(
  'viewer',
  ({ services, event }) =>
    json(services.alerts.list(pageQuery.parse(Object.fromEntries(event.url.searchParams)))),
  { query: pageQuery },
);
/** Seen: it stays until it is resolved, and calls no more. */
export const acknowledgeAlert = answer('operator', ({ services, actor, param }) =>
  json(services.alerts.acknowledge(param('id'), actor)),
);
