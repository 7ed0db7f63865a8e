import { applyUpdateRequest, rollBackRequest, skipUpdateRequest } from '$lib/shared/wire/update-requests';
import { answer, json } from './answer';
import { readJson } from './body';

/** The version that runs, and what was offered when somebody looked last. */
export const getUpdates = answer('viewer', ({ services }) => json(services.updates.view()));
/** Asks the channel now; changes nothing of the host. */
export const checkUpdates = answer('operator', async ({ services }) => json(await services.updates.check()));
/** `{"version", "skip"}`: nobody is told of that version any more (`skip: false`: is again). */
export const skipUpdate = answer(
  'admin',
  async ({ services, event }) =>
    json(services.updates.skip(skipUpdateRequest.parse(await readJson(event.request)))),
  { body: skipUpdateRequest },
);
/** `{"version"}`: the steps that `apply` would take. */
export const previewUpdate = answer(
  'admin',
  async ({ services, event }) =>
    json(await services.releases.preview(applyUpdateRequest.parse(await readJson(event.request)))),
  { body: applyUpdateRequest },
);
/** `{"version", "whenIdle"}`: puts the version that was offered in the place of the one that runs. */
export const applyUpdate = answer(
  'admin',
  async ({ services, actor, event }) => {
    const request = applyUpdateRequest.parse(await readJson(event.request));
    const { id } = await services.releases.apply(request, actor);
    return json({ success: true, operationId: id }, 202, { location: `/api/v1/operations/${id}` });
  },
  { body: applyUpdateRequest },
);
/** The steps back to the version before, and what would be lost. */
export const previewRollBack = answer('admin', async ({ services }) =>
  json(await services.releases.previewRollBack()),
);
/** `{"confirmCode"}`, or `{}` where nothing is lost: goes back to the version before. */
export const rollBackUpdate = answer(
  'admin',
  async ({ services, actor, event }) => {
    const { confirmCode } = rollBackRequest.parse(await readJson(event.request));
    const { id } = await services.releases.rollBack(confirmCode ?? null, actor);
    return json({ success: true, operationId: id }, 202, { location: `/api/v1/operations/${id}` });
  },
  { body: rollBackRequest },
);
/** Updates and ways back, the newest first. */
export const listUpdates = answer('viewer', ({ services }) => json({ updates: services.releases.history() }));
