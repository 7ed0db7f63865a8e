import { z } from 'zod';
import { installRequest, stageRequest } from '$lib/shared/wire/plugin-requests';
import type { Operation } from '$lib/shared/wire/operations';
import { MOST_TREE_BYTES } from '../host/file-tree';
import { answer, json } from './answer';
import { readBody, readJson } from './body';

export const listPlugins = answer('viewer', ({ services }) => json({ plugins: services.plugins.list() }));

const begun = (operation: Operation): Response =>
  json({ success: true, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });

/** `{"path"}` on this host, or `{"url","sha256"}`: answers what the plugin says of itself. Nothing of it is run. */
export const stagePlugin = answer(
  'admin',
  async ({ services, event }) =>
    json(await services.thirdParty.stage(stageRequest.parse(await readJson(event.request))), 201),
  { body: stageRequest },
);
const archiveQuery = z.object({ name: z.string().min(1).max(200).default('an archive that was sent') });
/** The archive itself as body, tar or tar.gz. */
export const sendPlugin = answer(
  'admin',
  async ({ services, event }) => {
    const { name } = archiveQuery.parse(Object.fromEntries(event.url.searchParams));
    const archive = Buffer.from(await readBody(event.request, MOST_TREE_BYTES));
    return json(await services.thirdParty.stage({ archive, name }), 201);
  },
  { query: archiveQuery, takesBytes: true },
);
/** `{"sha256","source","trust"}`: what was looked at, and its name as a sign that it is trusted. */
export const installPlugin = answer(
  'admin',
  async ({ services, actor, event }) =>
    begun(await services.thirdParty.install(installRequest.parse(await readJson(event.request)), actor)),
  { body: installRequest },
);
export const removePlugin = answer('admin', async ({ services, actor, param }) =>
  begun(await services.thirdParty.remove(param('id'), actor)),
);
export const enablePlugin = answer('admin', async ({ services, param }) =>
  json(await services.thirdParty.setEnabled(param('id'), true)),
);
export const disablePlugin = answer('admin', async ({ services, param }) =>
  json(await services.thirdParty.setEnabled(param('id'), false)),
);
