import { z } from 'zod';
import {
  channelRequest,
  notificationSettingsRequest,
  type ChannelView,
  type NotificationsView,
  type TestResult,
} from '$lib/shared/wire/notifications';
import { adminProcedure, router } from '../init';

const id = z.string().max(100);

/** Channels tell everything to whoever they lead to, so only administrators see or change them. */
export const notificationsRouter = router({
  view: adminProcedure.query(({ ctx }): NotificationsView => ctx.services.notifications.view()),
  /** All of it, and again when something was told, held or changed, as long as somebody looks. */
  onChange: adminProcedure.subscription(({ ctx, signal }) => ctx.services.notifications.follow(signal)),
  create: adminProcedure
    .input(z.strictObject({ channel: channelRequest }))
    .mutation(({ ctx, input }): Promise<ChannelView> => ctx.services.notifications.create(input.channel)),
  /** Secrets that are left out stay as they are. */
  update: adminProcedure
    .input(z.strictObject({ id, channel: channelRequest }))
    .mutation(({ ctx, input }): Promise<ChannelView> =>
      ctx.services.notifications.update(input.id, input.channel),
    ),
  /** What was not told by it yet is not told any more. */
  remove: adminProcedure.input(z.strictObject({ id })).mutation(({ ctx, input }): { ok: true } => {
    ctx.services.notifications.remove(input.id);
    return { ok: true };
  }),
  /** Sends a message now; that it was refused is an answer, not an error. */
  test: adminProcedure
    .input(z.strictObject({ id }))
    .mutation(({ ctx, input }): Promise<TestResult> => ctx.services.notifications.test(input.id)),
  /** The same for a channel that is not kept yet, or as it would be after a change. */
  tryOut: adminProcedure
    .input(z.strictObject({ channel: channelRequest, id: id.nullish() }))
    .mutation(({ ctx, input }): Promise<TestResult> =>
      ctx.services.notifications.tryOut(input.channel, input.id ?? null),
    ),
  setSettings: adminProcedure
    .input(notificationSettingsRequest)
    .mutation(({ ctx, input }): NotificationsView => ctx.services.notifications.setBaseUrl(input.baseUrl)),
});
