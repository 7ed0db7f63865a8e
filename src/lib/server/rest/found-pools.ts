import type { JsonObject } from '$lib/shared/json';
import { adoptRequest } from '$lib/shared/wire/requests';
import type { Operation } from '$lib/shared/wire/operations';
import { ADOPT, adoptPool, PEEK } from '../pools/adopt';
import { answer, json, type RestRequest } from './answer';
import { readJson } from './body';

const adoptBody = adoptRequest.omit({ found: true });

const accepted = (poolGroupGuid: string, operation: Operation): Response =>
  json({ success: true, poolGroupGuid, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });

/** How the record of one pool and the machine differ. */
export const poolValidation = answer('viewer', async ({ services, param }) => {
  const { guid } = services.pools.get(param('guid'));
  return json({ poolGroupGuid: guid, ...(await services.validate.check(guid)) });
});

/** Pools that are on the drives and not in the records. */
export const listFound = answer('viewer', ({ services }) => json({ foundPools: services.found.list() }));

export const peekFound = answer('operator', async ({ services, actor, param }) => {
  const { id, guid } = services.found.get(param('id'));
  return accepted(guid, await services.operations.start({ kind: PEEK, request: { found: id }, actor }));
});

async function wishOf({ services, event, param }: RestRequest) {
  const { id, guid } = services.found.get(param('id'));
  return { guid, wish: { found: id, ...adoptBody.parse(await readJson(event.request)) } };
}

/** Looks inside first when nobody has; answers when the adoption itself has begun. */
export const adoptFound = answer('operator', async (request) => {
  const { guid, wish } = await wishOf(request);
  return accepted(guid, await adoptPool(request.services, wish, request.actor));
});

export const previewAdoption = answer('operator', async (request) => {
  const { wish } = await wishOf(request);
  const plan = JSON.parse(JSON.stringify(wish)) as JsonObject;
  return json(await request.services.operations.preview(ADOPT, plan));
});
