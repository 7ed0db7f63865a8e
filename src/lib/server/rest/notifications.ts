/** `/api/v1/channels` and `/api/v1/notifications`: who is told of alerts, and what became of each message. Administrators only. */
import { channelRequest, notificationSettingsRequest } from '$lib/shared/wire/notifications';
import { answer, json } from './answer';
import { readJson } from './body';

export const listChannels = answer('admin', ({ services }) => {
  const { channels, timeZone } = services.notifications.view();
  return json({ channels, timeZone });
});
export const createChannel = answer(
  'admin',
  async ({ services, event }) => {
    const channel = await services.notifications.create(channelRequest.parse(await readJson(event.request)));
    return json(channel, 201, { location: `/api/v1/channels/${channel.id}` });
  },
  { body: channelRequest },
);
/** Secrets that are left out stay as they are; null takes one away. */
export const changeChannel = answer(
  'admin',
  async ({ services, event, param }) =>
    json(
      await services.notifications.update(param('id'), channelRequest.parse(await readJson(event.request))),
    ),
  { body: channelRequest },
);
export const removeChannel = answer('admin', ({ services, param }) => {
  services.notifications.remove(param('id'));
  return json({ success: true });
});
/** `{"ok": true}`, or why not: that a test fails is an answer, not an error. */
export const testChannel = answer('admin', async ({ services, param }) =>
  json(await services.notifications.test(param('id'))),
);
/** The last messages: told, held, on their way, given up. */
export const listNotifications = answer('admin', ({ services }) => {
  const { deliveries, settings } = services.notifications.view();
  return json({ deliveries, settings });
});
export const changeSettings = answer(
  'admin',
  async ({ services, event }) => {
    const { baseUrl } = notificationSettingsRequest.parse(await readJson(event.request));
    return json({ settings: services.notifications.setBaseUrl(baseUrl).settings });
  },
  { body: notificationSettingsRequest },
);
