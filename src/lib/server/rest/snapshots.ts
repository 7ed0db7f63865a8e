/** Snapshots below `/api/v1/pools/{guid}`: listed, taken, removed, gone back to, looked into, and made by the clock. */
import { z } from 'zod';
import { snapshotRequest, snapshotScheduleRequest, type SnapshotRequest } from '$lib/shared/wire/snapshots';
import { SNAPSHOT_TIERS } from '$lib/shared/snapshot-tiers';
import { requestIssues } from '$lib/shared/wire/requests';
import { issuesError } from '../errors';
import { previewSnapshot, startSnapshot } from '../snapshots/operations';
import { answer, json, type RestRequest } from './answer';
import { readJson } from './body';

const object = z.record(z.string(), z.unknown());
const tier = z.enum(SNAPSHOT_TIERS);

function requestOf(body: Record<string, unknown>): SnapshotRequest {
  const parsed = snapshotRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  throw issuesError(requestIssues(parsed.error));
}
const guidOf = ({ services, param }: RestRequest): string => services.pools.get(param('guid')).guid;

async function accept(request: RestRequest, wanted: SnapshotRequest): Promise<Response> {
  const { id } = await startSnapshot(request.services.operations, wanted, request.actor);
  return json({ success: true, poolGroupGuid: wanted.poolGroupGuid, operationId: id }, 202, {
    location: `/api/v1/operations/${id}`,
  });
}

export const listSnapshots = answer('viewer', async ({ services, param }) => {
  const { id, ...rest } = await services.snapshots.read(param('guid'));
  return json({ poolGroupGuid: id, ...rest });
});
export const postSnapshot = answer(
  'operator',
  async (request) => {
    const body = object.parse(await readJson(request.event.request));
    return accept(request, requestOf({ ...body, verb: 'create', poolGroupGuid: guidOf(request) }));
  },
  { body: object },
);
const named = (verb: 'delete' | 'roll-back') =>
  answer('operator', async (request) =>
    accept(request, requestOf({ verb, poolGroupGuid: guidOf(request), name: request.param('name') })),
  );
export const deleteSnapshot = named('delete');
export const rollBack = named('roll-back');

/** The body of what is wanted with its `verb` (`create`, `delete`, `roll-back`) and `name`: the plan. */
export const previewSnapshotChange = answer(
  'operator',
  async (request) => {
    const body = object.parse(await readJson(request.event.request));
    const wanted = requestOf({ ...body, poolGroupGuid: guidOf(request) });
    return json(await previewSnapshot(request.services.operations, wanted));
  },
  { body: object },
);

/** `?path=`: a folder below the snapshot. */
export const snapshotFiles = answer('operator', async ({ services, param, event }) =>
  json(
    await services.snapshots.files(param('guid'), param('name'), event.url.searchParams.get('path') ?? ''),
  ),
);

/** PUT protects it, DELETE takes that away. */
const protection = (value: boolean) =>
  answer('operator', async ({ services, param }) => {
    const { id, ...rest } = await services.snapshots.protect(param('guid'), param('name'), value);
    return json({ poolGroupGuid: id, ...rest });
  });
export const putProtection = protection(true);
export const deleteProtection = protection(false);

export const listSchedules = answer('viewer', async ({ services, param }) =>
  json({ schedules: (await services.snapshots.read(param('guid'))).schedules }),
);
export const putSchedule = answer(
  'operator',
  async ({ services, param, event }) => {
    const body = object.parse(await readJson(event.request));
    const parsed = snapshotScheduleRequest.safeParse({ ...body, tier: param('tier') });
    if (!parsed.success) throw issuesError(requestIssues(parsed.error));
    return json({ schedules: services.snapshots.schedule(param('guid'), parsed.data).schedules });
  },
  { body: object },
);
export const deleteSchedule = answer('operator', ({ services, param }) =>
  json({ schedules: services.snapshots.unschedule(param('guid'), tier.parse(param('tier'))).schedules }),
);
