/** "Which one do I pull", for scripts: `/api/v1/pools/{guid}/replacement`, one for a pool. */
import { begunReplacement, chosenReplacement } from '$lib/shared/wire/replacements';
import { answer, json, type RestRequest } from './answer';
import { readJson } from './body';
import { codeOf, confirmBody } from './vms';

const ofPool = ({ services, param }: RestRequest): string => services.pools.get(param('guid')).guid;

/** How far it is, which drive has to come out or in next, and which ones are out that should not be. */
export const getReplacement = answer('viewer', (request) =>
  json(request.services.replacements.get(ofPool(request))),
);
export const beginReplacement = answer(
  'operator',
  async (request) => {
    const guid = ofPool(request);
    const { slot } = begunReplacement.parse(await readJson(request.event.request));
    const path = `/api/v1/pools/${guid}/replacement`;
    return json(request.services.replacements.begin(guid, slot, request.actor), 201, { location: path });
  },
  { body: begunReplacement },
);
export const chooseReplacement = answer(
  'operator',
  async (request) => {
    const { way, freshId } = chosenReplacement.parse(await readJson(request.event.request));
    const change = { ...(way ? { way } : {}), ...(freshId === undefined ? {} : { freshId }) };
    return json(request.services.replacements.choose(ofPool(request), change));
  },
  { body: chosenReplacement },
);
/** The plan of the rebuild, with its confirm code. */
export const previewReplacement = answer('operator', async (request) =>
  json(await request.services.replacements.preview(ofPool(request))),
);
export const rebuildReplacement = answer(
  'operator',
  async (request) => {
    const poolGroupGuid = ofPool(request);
    const asked = { actor: request.actor, confirmCode: await codeOf(request) };
    const { id } = await request.services.replacements.rebuild(poolGroupGuid, asked);
    return json({ success: true, poolGroupGuid, operationId: id }, 202, {
      location: `/api/v1/operations/${id}`,
    });
  },
  { body: confirmBody },
);
/** What was done to drives stays. */
export const endReplacement = answer('operator', (request) => {
  request.services.replacements.end(ofPool(request));
  return json({ success: true });
});
