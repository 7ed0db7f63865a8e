import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import type {
  ConfigurationCopies,
  ConfigurationCopy,
  ConfigurationPlace,
  Restore,
  RestorePlan,
} from '$lib/shared/wire/configuration';
import { confirm } from '../ask';
import { CliError, EXIT } from '../exit-codes';
import { printable, table } from '../table';
import type { Noun } from '../verb';
import { time } from '../words';

const planText = ({ items, byHand }: RestorePlan): string =>
  [
    ...items.map(
      ({ kind, label, state, text }) => `${kind} ${printable(label)}: ${state}. ${printable(text)}`,
    ),
    ...byHand.map((line) => `by hand: ${printable(line)}`),
  ].join('\n');

export const backup: Noun = {
  name: 'backup',
  summary: 'Copies of the configuration on the pools',
  verbs: [
    {
      usage: 'list',
      summary: 'The copies that are there, and the pools that they lie on',
      isDefault: true,
      options: [new Option('--look', 'look into pools that are found first, read-only')],
      async run({ api, show, width }, _words, { look }) {
        const copies = look
          ? await api.send<ConfigurationCopies>('POST', '/configuration-copies/look')
          : await api.get<ConfigurationCopies>('/configuration-copies');
        show(copies, () =>
          [
            table<ConfigurationCopy>(
              [
                { title: 'COPY', of: ({ id }) => id.slice(0, 12) },
                { title: 'HOST', of: ({ hostname }) => hostname },
                { title: 'WRITTEN', of: ({ createdAt }) => time(createdAt) },
                { title: 'OURS', of: ({ isOwn }) => (isOwn ? 'yes' : 'no') },
                { title: 'POOLS', of: ({ pools }) => String(pools.length), right: true },
                { title: 'VMS', of: ({ vms }) => String(vms.length), right: true },
                { title: 'ON', of: ({ on }) => on.join(', '), shrinks: true },
              ],
              copies.copies,
              width,
            ),
            ...copies.problems.map(({ pool, file, why }) => `${pool}: ${file}: ${why}`),
            ...copies.unseen.map((label) => `${label}: nobody has looked into it; say --look.`),
          ].join('\n'),
        );
      },
    },
    {
      usage: 'create',
      summary: 'Write a copy to every pool that can take one',
      async run({ api, show }) {
        const answer = await api.send<{ places: ConfigurationPlace[] }>('POST', '/configuration-copies');
        show(answer, () =>
          answer.places
            .map(
              ({ label, why, writtenAt }) =>
                `${printable(label)}: ${why ?? `written ${time(writtenAt) ?? ''}`}`,
            )
            .join('\n'),
        );
      },
    },
    {
      usage: 'download',
      summary: 'The configuration as it is now, as a file without secrets',
      options: [new Option('-o, --output <file>', 'where it goes').default('cairn-configuration.json')],
      async run({ api, show }, _words, { output }) {
        const file = String(output);
        await api.save('/configuration', file).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
          throw new CliError(EXIT.usage, `${file} is there already.`, {
            remedy: 'Name another one with --output.',
          });
        });
        show({ file }, () => `Written to ${file}.`);
      },
    },
    {
      usage: 'restore [copy]',
      summary: 'Restore from a copy, else from the newest; shows what it would do, and asks first',
      arguments: { copy: 'The first digits of it, as `backup list` shows them' },
      options: [new Option('--file <path>', 'a file that was downloaded')],
      async run(context, [word = ''], { file }) {
        const { api, show, note } = context;
        let request: { copy: string } | { text: string };
        if (file) request = { text: await readFile(String(file), 'utf8') };
        else {
          const { copies } = await api.send<ConfigurationCopies>('POST', '/configuration-copies/look');
          const copy = copies.find(({ id }) => id.startsWith(word));
          if (!copy) throw new CliError(EXIT.notFound, 'There is no such copy on the pools of this host.');
          request = { copy: copy.id };
        }
        const { plan } = await api.send<{ plan: RestorePlan }>(
          'POST',
          '/configuration/restore/preview',
          request,
        );
        note(planText(plan));
        await confirm(context, 'Restore this?');
        const answer = await api.send<{ restore: Restore }>('POST', '/configuration/restore', request);
        show(answer, () => 'It has begun, and goes on by itself: say `cairn backup status`.');
      },
    },
    {
      usage: 'status',
      summary: 'How far the last restore is',
      async run({ api, show }) {
        const answer = await api.get<{ restore: Restore | null }>('/configuration/restore');
        show(answer, () => (answer.restore ? planText(answer.restore) : 'Nothing was restored here.'));
      },
    },
  ],
};
