import { Option } from 'commander';
import type { Operation, OperationPage } from '$lib/shared/wire/operations';
import type { Context } from '../context';
import { pick } from '../pick';
import { afterStart, ending, exitOfOperation, follow } from '../run-operation';
import { printable, properties, styled, table } from '../table';
import type { Noun } from '../verb';
import { time } from '../words';

const OPERATION = 'Its id, or the beginning of it; last: the newest';

/** By its id or the beginning of it: among the newest, else as it was given. */
async function idOf({ api }: Context, word = ''): Promise<string> {
  const { items } = await api.get<OperationPage>('/operations?limit=200');
  if (word === 'last' && items[0]) return items[0].id;
  const begins = word.length >= 4 ? items.filter(({ id }) => id.startsWith(word)) : [];
  if (begins.length === 1 && begins[0]) return begins[0].id;
  if (/^[0-9a-f-]{36}$/.test(word)) return word;
  return pick(items, word, { noun: 'operation', names: ({ id }) => [id], label: ({ id }) => id }).id;
}
const at = async (context: Context, word: string | undefined, verb = ''): Promise<string> =>
  `/operations/${encodeURIComponent(await idOf(context, word))}${verb && `/${verb}`}`;

export const operations: Noun = {
  name: 'operations',
  summary: 'What was and is done to this host',
  verbs: [
    {
      usage: 'list',
      summary: 'The newest operations',
      isDefault: true,
      options: [new Option('--limit <number>', 'how many, up to 200').default('20')],
      async run({ api, show, width }, _words, { limit }) {
        const page = await api.get<OperationPage>(`/operations?limit=${encodeURIComponent(String(limit))}`);
        show(page, () =>
          table<Operation>(
            [
              { title: 'ID', of: ({ id }) => id.slice(0, 8) },
              { title: 'BEGAN', of: ({ createdAt }) => time(createdAt) },
              { title: 'STATE', of: ({ state }) => state, state: true },
              { title: 'DONE', of: ({ percent }) => `${Math.round(percent)} %`, right: true },
              { title: 'BY', of: ({ requestedBy }) => requestedBy },
              { title: 'WHAT', of: ({ title }) => title, shrinks: true },
            ],
            page.items,
            width,
          ),
        );
      },
    },
    {
      usage: 'show <operation>',
      summary: 'One operation: its steps, and how it ended',
      arguments: { operation: OPERATION },
      async run(context, [word]) {
        const operation = await context.api.get<Operation>(await at(context, word));
        context.show(operation, () =>
          [
            properties([
              ['what', operation.title],
              ['id', operation.id],
              ['state', operation.state],
              ['verdict', operation.verdict],
              ['asked by', operation.requestedBy],
              ['began', time(operation.createdAt)],
              ['ended', time(operation.endedAt)],
              ['done', `${Math.round(operation.percent)} %`],
              ['error', operation.error?.message ?? null],
              ['remedy', operation.error?.remedy ?? null],
              ...operation.evidence.map((line): [string, string] => ['evidence', line]),
            ]),
            '',
            ...operation.steps.map((step) =>
              [
                `${step.index + 1}. ${printable(step.title)}: ${step.state}`,
                `   ${styled('gray', printable(step.command))}`,
                ...(step.error ? [`   ${styled('red', printable(step.error))}`] : []),
              ].join('\n'),
            ),
          ].join('\n'),
        );
      },
    },
    {
      usage: 'follow <operation>',
      summary: 'Watch an operation and what its commands print, until it ends',
      arguments: { operation: OPERATION },
      async run(context, [word]) {
        const operation = await follow(context, await idOf(context, word), true);
        context.show(operation, () => ending(operation));
        return exitOfOperation(operation);
      },
    },
    {
      usage: 'cancel <operation>',
      summary: 'Stop an operation and take back what it did',
      arguments: { operation: OPERATION },
      async run(context, [word]) {
        const { id } = await context.api.send<Operation>('POST', await at(context, word, 'cancel'));
        if (!context.options.wait) {
          context.show(
            { success: true, operationId: id },
            () => `It is being taken back: cairn operations follow ${id}`,
          );
          return;
        }
        const operation = await follow(context, id, false);
        context.show(operation, () => ending(operation));
        // It is what was asked for.
        return operation.state === 'cancelled' ? 0 : exitOfOperation(operation);
      },
    },
    {
      usage: 'retry <operation>',
      summary: 'Ask for the same again',
      arguments: { operation: OPERATION },
      async run(context, [word]) {
        const { id } = await context.api.send<Operation>('POST', await at(context, word, 'retry'));
        return afterStart(context, { operationId: id });
      },
    },
    {
      usage: 'resolve <operation> <decision>',
      summary: 'Decide what becomes of one that needs you',
      arguments: { operation: OPERATION, decision: 'try-again, or leave-as-is' },
      async run(context, [word, decision]) {
        const { id } = await context.api.send<Operation>('POST', await at(context, word, 'resolve'), {
          decision,
        });
        return afterStart(context, { operationId: id });
      },
    },
    {
      usage: 'script <operation>',
      summary: 'Its steps as a shell script',
      arguments: { operation: OPERATION },
      async run(context, [word]) {
        const script = await context.api.text(await at(context, word, 'script'));
        context.show({ script }, () => script.trimEnd());
      },
    },
    {
      usage: 'output <operation>',
      summary: 'Its commands, and what they printed',
      arguments: { operation: OPERATION },
      async run(context, [word]) {
        interface Commands {
          commands: { command: string[]; exitCode: number | null; output: { text: string }[] }[];
        }
        const answer = await context.api.get<Commands>(await at(context, word, 'outputs'));
        context.show(answer, () =>
          answer.commands
            .map(({ command, exitCode, output }) =>
              [
                styled('gray', `$ ${printable(command.join(' '))}`),
                ...output.map(({ text }) => printable(text)),
                ...(exitCode ? [styled('red', `exit code ${exitCode}`)] : []),
              ].join('\n'),
            )
            .join('\n'),
        );
      },
    },
  ],
};
