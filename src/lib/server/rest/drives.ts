import { answer, json } from './answer';

export const listDrives = answer('viewer', ({ services }) => json({ drives: services.drives.list() }));
export const getDrive = answer('viewer', ({ services, param }) => json(services.drives.get(param('id'))));
/** Programs that hold something on the drive, read now. */
export const getDriveUse = answer('viewer', async ({ services, param }) =>
  json(await services.drives.use(param('id'))),
);
