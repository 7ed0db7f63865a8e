import { Option } from 'commander';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { UpdateView } from '$lib/shared/wire/updates';
import { CliError, EXIT } from '../exit-codes';
import { change, planText } from '../run-operation';
import { printable, properties, table } from '../table';
import type { Noun } from '../verb';
import { time } from '../words';

const WORDS: Record<UpdateView['state'], string> = {
  unknown: 'nothing was offered yet',
  current: 'this is the newest version',
  available: 'there is a newer version',
  unsuitable: 'there is a newer version, not for this host as it is',
};
const textOf = ({
  version,
  channel,
  checkedAt,
  state,
  why,
  failure,
  offered,
  skipped,
}: UpdateView): string => {
  const isNewer = offered !== null && (state === 'available' || state === 'unsuitable');
  const facts = properties([
    ['version', version],
    ['channel', channel === null ? 'none: nobody is asked' : printable(channel)],
    ['last look', time(checkedAt)],
    ['result', failure ? printable(failure.message) : (why ?? WORDS[state])],
    [
      'offered',
      isNewer
        ? `${offered.version}, released ${offered.date.slice(0, 10)}${skipped ? ' (skipped: nobody is told of it)' : ''}`
        : null,
    ],
  ]);
  if (!isNewer) return facts;
  const notes = offered.notes.split('\n').map(printable).join('\n').trim();
  const how = state === 'available' ? 'To install it: cairn update apply' : '';
  return [facts, notes, how].filter(Boolean).join('\n\n');
};

export const update: Noun = {
  name: 'update',
  summary: 'Newer versions of Cairn',
  verbs: [
    {
      usage: 'show',
      summary: 'The version that runs, and what was offered last',
      isDefault: true,
      async run({ api, show }) {
        const view = await api.get<UpdateView>('/updates');
        show(view, () => textOf(view));
      },
    },
    {
      usage: 'check',
      summary: 'Ask the channel now; installs nothing',
      async run({ api, show }) {
        const view = await api.send<UpdateView>('POST', '/updates/check');
        show(view, () => textOf(view));
      },
    },
    {
      usage: 'apply',
      summary: 'Install the version that the channel offers; asks before',
      options: [
        new Option('--when-idle', 'wait until operations at work have ended, instead of being refused'),
      ],
      async run(context, _words, { whenIdle }) {
        const { offered, state, why } = await context.api.send<UpdateView>('POST', '/updates/check');
        if (state !== 'available' || !offered)
          throw new CliError(EXIT.refused, why ?? 'There is no newer version to install.');
        const body = { version: offered.version, whenIdle: whenIdle === true };
        context.note(planText(await context.api.send<PlanPreview>('POST', '/updates/preview', body)));
        const question = `Install version ${offered.version} now?`;
        return change(context, { path: '/updates/apply', body, question });
      },
    },
    {
      usage: 'skip',
      summary: 'Have nobody told of the version that is offered',
      options: [new Option('--undo', 'have people told of it again')],
      async run({ api, show }, _words, { undo }) {
        const { offered } = await api.get<UpdateView>('/updates');
        if (!offered) throw new CliError(EXIT.refused, 'Nothing was offered yet.');
        const body = { version: offered.version, skip: undo !== true };
        const view = await api.send<UpdateView>('POST', '/updates/skip', body);
        show(view, () => textOf(view));
      },
    },
    {
      usage: 'rollback',
      summary: 'Go back to the version before; asks before',
      async run(context) {
        const plan = await context.api.send<PlanPreview>('POST', '/updates/rollback/preview');
        // What loses something is shown and asked for when Cairn asks for it.
        if (plan.confirmCode === null) context.note(planText(plan));
        return change(context, {
          path: '/updates/rollback',
          body: { confirmCode: null },
          ...(plan.confirmCode === null ? { question: `${plan.title}?` } : {}),
        });
      },
    },
    {
      usage: 'history',
      summary: 'Updates and ways back, the newest first',
      async run({ api, show, width }) {
        const history = await api.get<{ updates: Operation[] }>('/updates/history');
        show(history, () =>
          table<Operation>(
            [
              { title: 'BEGAN', of: ({ createdAt }) => time(createdAt) },
              { title: 'STATE', of: ({ state }) => state, state: true },
              { title: 'BY', of: ({ requestedBy }) => requestedBy },
              { title: 'WHAT', of: ({ title }) => title },
              { title: 'WHY', of: ({ error }) => error?.message ?? null, shrinks: true },
            ],
            history.updates,
            width,
          ),
        );
      },
    },
  ],
};
