import { Option } from 'commander';
import type { PlanPreview } from '$lib/shared/wire/operations';
import type { Context } from '../context';
import { CliError, EXIT } from '../exit-codes';
import { pick } from '../pick';
import { change, planText } from '../run-operation';
import { inNaturalOrder, properties, table } from '../table';
import type { Noun, Verb } from '../verb';
import { size } from '../words';
import { driveOf } from './drives';

/** As `GET /api/v1/pools` gives it. */
export interface PoolLine {
  poolGroupGuid: string;
  label: string;
  plugin: string;
  layout: string;
  state: string;
  poolStatus: string | null;
  size?: number | null;
  used?: number | null;
  available?: number | null;
  usePercent?: string | null;
  mountPath?: string;
  drives?: { serial: string | null; label: string; status: string }[];
  errorMessage?: string;
}
const POOL = 'Its name or its GUID';

export async function poolOf({ api }: Context, word = ''): Promise<PoolLine> {
  const { pools: all } = await api.get<{ pools: PoolLine[] }>('/pools');
  return pick(all, word, {
    noun: 'pool',
    names: (pool) => [pool.poolGroupGuid, pool.label],
    label: (pool) => pool.label,
  });
}
const at = ({ poolGroupGuid }: PoolLine, verb = ''): string => `/pools/${poolGroupGuid}${verb && `/${verb}`}`;

/** A verb of a pool that needs nothing else. */
const plain = (name: string, summary: string, more: { path?: string; body?: object } = {}): Verb => ({
  usage: `${name} <pool>`,
  summary,
  arguments: { pool: POOL },
  async run(context, [word]) {
    const { path = name, body = {} } = more;
    return change(context, { path: at(await poolOf(context, word), path), body });
  },
});

/** `compress=zstd` as an option of a plugin: numbers and yes or no as such. */
function optionValues(words: string[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    words.map((word) => {
      const [name = '', ...rest] = word.split('=');
      const value = rest.join('=');
      if (!name || rest.length === 0) throw new CliError(EXIT.usage, `--option ${word}: write name=value.`);
      if (value === 'true' || value === 'false') return [name, value === 'true'];
      return [name, /^-?\d+$/.test(value) ? Number(value) : value];
    }),
  );
}
const several = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

export const pools: Noun = {
  name: 'pools',
  summary: 'Storage made from drives',
  verbs: [
    {
      usage: 'list',
      summary: 'All pools',
      isDefault: true,
      async run({ api, show, width }) {
        const { pools: all } = await api.get<{ pools: PoolLine[] }>('/pools');
        show({ pools: all }, () =>
          table<PoolLine>(
            [
              { title: 'NAME', of: (pool) => pool.label, shrinks: true },
              { title: 'LAYOUT', of: (pool) => `${pool.plugin} ${pool.layout}` },
              { title: 'STATE', of: (pool) => pool.state, state: true },
              { title: 'STATUS', of: (pool) => pool.poolStatus, state: true },
              { title: 'SIZE', of: (pool) => size(pool.size), right: true },
              { title: 'FREE', of: (pool) => size(pool.available), right: true },
              { title: 'USED', of: (pool) => pool.usePercent ?? null, right: true },
              { title: 'FOLDER', of: (pool) => pool.mountPath ?? null, shrinks: true },
            ],
            inNaturalOrder(all, ({ label }) => label),
            width,
          ),
        );
      },
    },
    {
      usage: 'show <pool>',
      summary: 'One pool and its drives',
      arguments: { pool: POOL },
      async run(context, [word]) {
        const line = await poolOf(context, word);
        const pool = { ...line, ...(await context.api.get<PoolLine>(at(line))) };
        context.show(pool, () =>
          [
            properties([
              ['name', pool.label],
              ['GUID', pool.poolGroupGuid],
              ['layout', `${pool.plugin} ${pool.layout}`],
              ['state', pool.state],
              ['status', pool.poolStatus],
              ['size', size(pool.size)],
              ['used', pool.usePercent ? `${size(pool.used)} (${pool.usePercent})` : null],
              ['free', size(pool.available)],
              ['folder', pool.mountPath ?? null],
              ['error', pool.errorMessage ?? null],
            ]),
            '',
            table(
              [
                { title: 'DRIVE', of: (drive) => drive.label },
                { title: 'SERIAL', of: (drive) => drive.serial, shrinks: true },
                { title: 'STATUS', of: (drive) => drive.status, state: true },
              ],
              pool.drives ?? [],
              context.width,
            ),
          ].join('\n'),
        );
      },
    },
    {
      usage: 'create <name>',
      summary: 'Make a pool; shows what is erased and asks first',
      arguments: { name: 'What it is called' },
      options: [
        new Option('--plugin <plugin>', 'what makes it; see: cairn plugins').makeOptionMandatory(),
        new Option('--layout <layout>', 'how its drives stand for each other').makeOptionMandatory(),
        new Option('--drive <drive>', 'a drive for it; once for each')
          .argParser(several)
          .makeOptionMandatory(),
        new Option('--option <name=value>', 'an option of the plugin; once for each').argParser(several),
        new Option('--folder <path>', 'where it is mounted'),
        new Option('--plan', 'show the plan and do nothing'),
      ],
      async run(context, [label], { plugin, layout, drive, option, folder, plan }) {
        const drives = [];
        for (const word of [drive ?? []].flat())
          drives.push({ id: (await driveOf(context, String(word))).id });
        const body = {
          ...{ label, plugin, layout, drives, options: optionValues([option ?? []].flat().map(String)) },
          ...(typeof folder === 'string' ? { mountPath: folder } : {}),
        };
        if (!plan) return change(context, { path: '/pools', body });
        const preview = await context.api.send<PlanPreview>('POST', '/pools/preview', body);
        context.show(preview, () => planText(preview));
      },
    },
    plain('mount', 'Mount a pool'),
    plain('unmount', 'Unmount a pool'),
    {
      usage: 'rename <pool> <name>',
      summary: 'Give a pool another name',
      arguments: { pool: POOL, name: 'The new one' },
      async run(context, [word, label]) {
        return change(context, { path: at(await poolOf(context, word), 'rename'), body: { label } });
      },
    },
    plain('scrub', 'Read all of a pool and compare it with its checksums', { body: { action: 'start' } }),
    plain('stop-scrub', 'Stop a scrub', { path: 'scrub', body: { action: 'stop' } }),
    plain('release', 'Let a pool go, its data untouched; another Cairn can adopt it'),
    {
      usage: 'remove <pool>',
      summary: 'Remove a pool with everything on it; shows the plan and asks first',
      arguments: { pool: POOL },
      async run(context, [word]) {
        return change(context, { method: 'DELETE', path: at(await poolOf(context, word)) });
      },
    },
  ],
};
