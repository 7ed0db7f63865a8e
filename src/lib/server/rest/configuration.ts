import { copyText } from '../configuration/format';
import { answer, json } from './answer';

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
