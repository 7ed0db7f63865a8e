/** Nouns with few verbs. */
import { Option } from 'commander';
import type { Alert, AlertList } from '$lib/shared/wire/alerts';
import type { UserView } from '$lib/shared/wire/session';
import { newPassword } from '../ask';
import { CliError, EXIT } from '../exit-codes';
import { pick } from '../pick';
import { table } from '../table';
import type { Noun } from '../verb';
import { time } from '../words';

export const alerts: Noun = {
  name: 'alerts',
  summary: 'Conditions that hold now and want to be known',
  verbs: [
    {
      usage: 'list',
      summary: 'Those that hold now',
      isDefault: true,
      options: [new Option('--all', 'and the newest that are over')],
      async run({ api, show, width }, _words, { all }) {
        const list = await api.get<AlertList>('/alerts?limit=50');
        const rows = [...list.open, ...(all ? list.resolved : [])];
        show(all ? list : { open: list.open }, () =>
          rows.length === 0
            ? 'Nothing needs you.'
            : table<Alert>(
                [
                  { title: 'SEVERITY', of: ({ severity }) => severity, state: true },
                  { title: 'SINCE', of: ({ raisedAt }) => time(raisedAt) },
                  { title: 'WHAT', of: ({ title, text }) => `${title}. ${text}`, shrinks: true },
                  { title: 'OVER', of: ({ resolvedAt }) => time(resolvedAt) },
                  { title: 'ID', of: ({ id }) => id },
                ],
                rows,
                width,
              ),
        );
      },
    },
    {
      usage: 'acknowledge <alert>',
      summary: 'Seen: it stays until it is over, and calls no more',
      arguments: { alert: 'Its id' },
      async run({ api, show }, [word = '']) {
        const { open } = await api.get<AlertList>('/alerts?limit=1');
        const { id } = pick(open, word, {
          noun: 'alert',
          names: (alert) => [alert.id],
          label: (alert) => alert.id,
        });
        const alert = await api.send<Alert>('POST', `/alerts/${encodeURIComponent(id)}/acknowledge`);
        show(alert, () => `Acknowledged: ${alert.title}.`);
      },
    },
  ],
};

export const users: Noun = {
  name: 'users',
  summary: 'Accounts',
  verbs: [
    {
      usage: 'list',
      summary: 'All accounts',
      isDefault: true,
      async run({ api, show, width }) {
        const { users: all } = await api.get<{ users: UserView[] }>('/users');
        show({ users: all }, () =>
          table<UserView>(
            [
              { title: 'NAME', of: ({ username }) => username },
              { title: 'ROLE', of: ({ role }) => role },
              { title: 'SINCE', of: ({ createdAt }) => time(createdAt) },
            ],
            all,
            width,
          ),
        );
      },
    },
    {
      usage: 'reset <user>',
      summary: 'Another password for who has forgotten theirs; root on the host only',
      arguments: { user: 'The account' },
      options: [new Option('--password-stdin', 'the first line of standard input is the password')],
      async run(context, [user = ''], { passwordStdin }) {
        if (!context.api.isLocal)
          throw new CliError(EXIT.refused, 'Only root on the host itself resets a password.', {
            remedy: 'Run it on the host, without --url.',
          });
        const password = await newPassword(context, passwordStdin === true);
        const view = await context.api.send<UserView>('POST', `/users/${encodeURIComponent(user)}/password`, {
          password,
        });
        context.show(view, () => `${view.username} has the new password. Every session of it was ended.`);
      },
    },
  ],
};
