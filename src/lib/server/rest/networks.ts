import { z } from 'zod';
import { bridgeNameRequest, bridgeRequest } from '$lib/shared/wire/network-changes';
import type { Operation } from '$lib/shared/wire/operations';
import { keepNetwork, MAKE_BRIDGE, REMOVE_BRIDGE } from '../networks/bridges';
import { answer, json } from './answer';
import { readJson } from './body';

/** `{"links"}`: every network link of the host, with its bridge and its addresses. Asked now. */
export const listNetworks = answer('viewer', async ({ services }) =>
  json({ links: await services.networks.read() }),
);

const begun = (operation: Operation): Response =>
  json({ success: true, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });

/** `{"name", "port", "vlan"}`. One that moves the addresses of the host is taken back unless it is kept in time. */
export const postBridge = answer(
  'admin',
  async ({ services, actor, event }) =>
    begun(
      await services.operations.start({
        ...{ kind: MAKE_BRIDGE, request: bridgeRequest.parse(await readJson(event.request)), actor },
      }),
    ),
  { body: bridgeRequest },
);
export const previewBridge = answer(
  'admin',
  async ({ services, event }) =>
    json(await services.operations.preview(MAKE_BRIDGE, bridgeRequest.parse(await readJson(event.request)))),
  { body: bridgeRequest },
);
const waitQuery = z.object({ checkInSeconds: z.coerce.number().optional() });
/** `?checkInSeconds=`: see bridgeRequest. */
export const deleteBridge = answer(
  'admin',
  async ({ services, actor, param, event }) => {
    const { checkInSeconds } = waitQuery.parse(Object.fromEntries(event.url.searchParams));
    const request = bridgeNameRequest.parse({ name: param('name'), checkInSeconds });
    return begun(await services.operations.start({ kind: REMOVE_BRIDGE, request, actor }));
  },
  { query: waitQuery },
);
/** Says that the host can still be reached. Answered when the change is on disk: `{"operation"}`. */
export const postKeepNetwork = answer('admin', async ({ services }) =>
  json({ operation: await keepNetwork(services) }),
);
