import { z } from 'zod';
import { blinkSeconds } from '../drives/identify';
import { driveHistory } from '../drives/history';
import { AppError } from '../errors';
import { answer, json, type RestRequest } from './answer';
import { readJson } from './body';

const historyQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(800).default(7) });

export const listDrives = answer('viewer', ({ services }) => json({ drives: services.drives.list() }));
export const getDrive = answer('viewer', ({ services, param }) => json(services.drives.get(param('id'))));
/** Programs that hold something on the drive, read now. */
export const getDriveUse = answer('viewer', async ({ services, param }) =>
  json(await services.drives.use(param('id'))),
);
/** What it said about its health last, and the points of the last days. */
export const getDriveHealth = answer(
  'viewer',
  ({ services, event, param }) => {
    const { days } = historyQuery.parse(Object.fromEntries(event.url.searchParams));
    const { id, health } = services.drives.get(param('id'));
    return json({ driveId: id, health, history: driveHistory(services, id, days) });
  },
  { query: historyQuery },
);

/** 202: what was asked for is on disk and goes on by itself; its operation tells how far it is. */
async function start(
  { services, actor }: RestRequest,
  kind: string,
  request: Record<string, string | number>,
  confirmCode: string | null = null,
): Promise<Response> {
  const operation = await services.operations.start({ kind, request, actor, confirmCode });
  return json({ success: true, driveId: operation.subject.id, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });
}
const wipeBody = z.strictObject({ confirmCode: z.string().max(200).nullish() });

/** Without a confirm code the refusal names it, with what is lost. */
export const wipeDrive = answer(
  'operator',
  async (request) => {
    const body = wipeBody.parse(await readJson(request.event.request));
    const { id: driveId } = request.services.drives.get(request.param('id'));
    return start(request, 'drive.wipe', { driveId }, body.confirmCode ?? null);
  },
  { body: wipeBody },
);
export const restoreWipe = answer('operator', async (request) => {
  const { wiped } = request.services.drives.get(request.param('id'));
  if (!wiped) throw new AppError('wipe_not_restorable', 'No wipe of this drive is saved.');
  return start(request, 'drive.restore-wipe', { backupId: wiped.backupId });
});

const selfTestBody = z.strictObject({ kind: z.enum(['short', 'long']).default('short') });
export const startSelfTest = answer(
  'operator',
  async (request) => {
    const { kind } = selfTestBody.parse(await readJson(request.event.request));
    const { id: driveId } = request.services.drives.get(request.param('id'));
    return start(request, 'drive.self-test', { driveId, kind });
  },
  { body: selfTestBody },
);
const identifyBody = z.strictObject({ seconds: blinkSeconds.optional() });
export const identifyDrive = answer(
  'operator',
  async (request) => {
    const body = identifyBody.parse(await readJson(request.event.request));
    const { id: driveId } = request.services.drives.get(request.param('id'));
    return start(request, 'drive.identify', { driveId, ...body });
  },
  { body: identifyBody },
);
