import { answer, json } from './answer';

/** `{"links"}`: every network link of the host, with its bridge and its addresses. Asked now. */
export const listNetworks = answer('viewer', async ({ services }) =>
  json({ links: await services.networks.read() }),
);
