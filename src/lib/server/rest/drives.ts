import { z } from 'zod';
import { driveHistory } from '../drives/history';
import { answer, json } from './answer';

const historyQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(800).default(7) });

export const listDrives = answer('viewer', ({ services }) => json({ drives: services.drives.list() }));
export const getDrive = answer('viewer', ({ services, param }) => json(services.drives.get(param('id'))));
/** Programs that hold something on the drive, read now. */
export const getDriveUse = answer('viewer', async ({ services, param }) =>
  json(await services.drives.use(param('id'))),
);
/** What it said about its health last, and the points of the last days. */
export const getDriveHealth = answer('viewer', ({ services, event, param }) => {
  const { days } = historyQuery.parse(Object.fromEntries(event.url.searchParams));
  const { id, health } = services.drives.get(param('id'));
  return json({ driveId: id, health, history: driveHistory(services, id, days) });
});
