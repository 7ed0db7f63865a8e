import { z } from 'zod';
import { isLive } from '$lib/shared/states';
import type { Operation } from '$lib/shared/wire/operations';
import { poolEndProcessesRequest } from '$lib/shared/wire/requests';
import { createPool, previewPool as planPool, removePool } from '../pools/create';
import { restPool } from '../pools/rest-shape';
import { answer, json, type RestRequest } from './answer';
import { readJson } from './body';
import { restCommands } from './operations';

const confirmCode = z.string().max(200).nullish();
const object = z.record(z.string(), z.unknown());
const renameBody = z.strictObject({ label: z.string().max(1_000) });
const endBody = poolEndProcessesRequest.pick({ pids: true });
const removeBody = z.strictObject({ confirmCode });

/** 202: what was asked for is on disk and goes on by itself; its operation tells how far it is. */
const accepted = (poolGroupGuid: string, state: string, operation: Operation): Response =>
  json({ success: true, poolGroupGuid, state, operationId: operation.id }, 202, {
    location: `/api/v1/pools/${poolGroupGuid}`,
  });

export const listPools = answer('viewer', ({ services }) =>
  json({
    pools: services.pools.list().map((pool) => ({
      poolGroupGuid: pool.guid,
      label: pool.label,
      plugin: pool.plugin,
      layout: pool.layout,
      ...restPool(pool),
    })),
  }),
);

export const postPool = answer(
  'operator',
  async ({ services, actor, event }) => {
    const { confirmCode: code, ...request } = object.parse(await readJson(event.request));
    const created = await createPool(services, request, {
      actor,
      confirmCode: confirmCode.parse(code) ?? null,
    });
    const state = isLive(created.operation.state)
      ? 'creating'
      : services.pools.get(created.poolGroupGuid).state;
    return accepted(created.poolGroupGuid, state, created.operation);
  },
  { body: object },
);

/** The plan without starting it: what is done, what is erased, and the confirm code that starts exactly this plan. */
export const previewPool = answer(
  'operator',
  async ({ services, event }) => json(await planPool(services, object.parse(await readJson(event.request)))),
  { body: object },
);

/** A pool that became ready this moment has not been asked for its sizes yet: a program that waits for it gets them. */
export const getPool = answer('viewer', async ({ services: { pools }, param }) => {
  const source = pools.getOrLast(param('guid'));
  if ('guid' in source && source.state === 'ready' && source.poolStatus === null)
    await pools.firstReading(source.guid);
  return json(restPool(pools.getOrLast(param('guid'))));
});

export const deletePool = answer(
  'operator',
  async ({ services, actor, event, param }) => {
    const body = removeBody.parse(await readJson(event.request));
    const code = body.confirmCode ?? event.url.searchParams.get('confirmCode');
    const operation = await removePool(services, param('guid'), { actor, confirmCode: code });
    return accepted(operation.subject.id, 'deleting', operation);
  },
  { body: removeBody },
);

export const previewRemoval = answer('operator', async ({ services, param }) => {
  const { guid } = services.pools.get(param('guid'));
  return json(await services.operations.preview('pool.remove', { poolGroupGuid: guid }));
});

async function start(
  { services, actor, param }: RestRequest,
  kind: string,
  more: { label?: string; pids?: number[] } = {},
) {
  const { guid, state } = services.pools.get(param('guid'));
  const operation = await services.operations.start({
    kind,
    request: { poolGroupGuid: guid, ...more },
    actor,
  });
  return accepted(guid, state, operation);
}

export const mountPool = answer('operator', (request) => start(request, 'pool.mount'));
export const unmountPool = answer('operator', (request) => start(request, 'pool.unmount'));
export const renamePool = answer(
  'operator',
  async (request) => start(request, 'pool.rename', renameBody.parse(await readJson(request.event.request))),
  { body: renameBody },
);

/** Programs that keep the pool from being unmounted, read now. */
export const poolProcesses = answer('viewer', async ({ services, param }) =>
  json({ processes: await services.pools.processes(param('guid')) }),
);
/** Ends the chosen ones: refused for any that does not use the pool, and for Cairn itself. */
export const endPoolProcesses = answer(
  'operator',
  async (request) =>
    start(request, 'pool.end-processes', endBody.parse(await readJson(request.event.request))),
  { body: endBody },
);

/** Every command that was run for the pool, oldest first, with what it printed; also after it failed or was removed. */
export const poolOutputs = answer('viewer', ({ services, param }) => {
  const { operations } = services;
  const source = services.pools.getOrLast(param('guid'));
  const guid = 'guid' in source ? source.guid : source.subject.id;
  const { items } = operations.page({ subjectId: guid, limit: 100 });
  return json({
    poolGroupGuid: guid,
    commands: items.toReversed().flatMap((operation) => restCommands(operations, operation)),
  });
});
