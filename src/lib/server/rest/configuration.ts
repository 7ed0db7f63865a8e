import { copyText } from '../configuration/format';
import { restoreRequest } from '$lib/shared/wire/configuration';
import { answer, json } from './answer';
import { readJson } from './body';

const attachment = (name: string, text: string): Response =>
  new Response(text, {
    headers: {
      'content-type': 'application/json',
      'content-disposition': `attachment; filename="${name}"`,
      'cache-control': 'no-store',
    },
  });

/** As it is now, without secrets. */
export const getConfiguration = answer('admin', ({ services }) => {
  const { name, text } = services.configuration.now();
  return attachment(name, text);
});
/** `{"copies","problems","places","unseen"}`: what lies on the pools. */
export const getConfigurationCopies = answer('admin', async ({ services }) =>
  json(await services.configuration.copies()),
);
/** One more on every pool that can take it. */
export const postConfigurationCopies = answer('admin', async ({ services }) =>
  json({ places: await services.configuration.write(true) }, 201),
);
/** By its checksum. */
export const getConfigurationCopy = answer('admin', async ({ services, param }) => {
  const { content } = await services.configuration.copy(param('id'));
  return attachment(`cairn-configuration-${content.sequence}.json`, copyText(content));
});
/** Looks into the pools that are found, read-only, for copies that lie there. */
export const postConfigurationLook = answer('admin', async ({ services, actor }) => {
  await services.restores.look(actor);
  return json(await services.configuration.copies());
});

/** `{"restore"}`: the last one, or the one at work; null: there was none. */
export const getConfigurationRestore = answer('admin', ({ services }) =>
  json({ restore: services.restores.last() }),
);
/** `{"copy"}` or `{"text"}`. */
export const postConfigurationRestore = answer(
  'admin',
  async ({ services, actor, event }) =>
    json(
      { restore: await services.restores.start(restoreRequest.parse(await readJson(event.request)), actor) },
      202,
    ),
  { body: restoreRequest },
);
/** What it would do here, thing by thing. */
export const previewConfigurationRestore = answer(
  'admin',
  async ({ services, event }) =>
    json({ plan: await services.restores.preview(restoreRequest.parse(await readJson(event.request))) }),
  { body: restoreRequest },
);

/** One machine of a copy, defined again from its disks. */
export const postConfigurationVm = answer('admin', async ({ services, actor, param }) => {
  const { id } = await services.restores.restoreVm(param('id'), param('vmId'), actor);
  return json({ success: true, operationId: id }, 202, { location: `/api/v1/operations/${id}` });
});
