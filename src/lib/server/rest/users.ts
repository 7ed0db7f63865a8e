import { z } from 'zod';
import { AppError } from '../errors';
import { answer, json } from './answer';
import { readJson } from './body';

export const listUsers = answer('admin', ({ services }) => json({ users: services.auth.users.list() }));

const passwordBody = z.strictObject({ password: z.string().max(1_000) });
/** `{"password"}`: another one for who has forgotten theirs. Root on the host only, over its local socket. */
export const resetPassword = answer(
  'admin',
  async ({ services, actor, param, event }) => {
    if (actor.kind !== 'local')
      throw new AppError('forbidden', 'Only root on the host itself resets a password.', {
        remedy: 'Run `cairn users reset` on the host, as root.',
      });
    const { password } = passwordBody.parse(await readJson(event.request));
    return json(await services.auth.resetPassword(param('id'), password));
  },
  { body: passwordBody },
);
