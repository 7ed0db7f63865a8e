/** Plugins: those of Cairn, and those from others. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Option } from 'commander';
import type { PluginView, StagedPlugin } from '$lib/shared/wire/plugins';
import { formatBytes } from '$lib/shared/units';
import { typed } from '../ask';
import type { Context } from '../context';
import { CliError, EXIT } from '../exit-codes';
import { skeleton, TYPES } from '../plugin-skeleton';
import { change } from '../run-operation';
import { inNaturalOrder, printable, table } from '../table';
import type { Noun } from '../verb';
import { checkVerb } from './plugin-check';

const ID = /^[a-z][a-z0-9-]{0,63}$/;

const stateOf = ({ available, installed }: PluginView): string => {
  if (installed && installed.state !== 'on') return installed.state;
  return available ? 'ready' : 'broken';
};

function stagedText({
  id,
  name,
  version,
  description,
  source,
  sha256,
  programs,
  ...staged
}: StagedPlugin): string {
  const { files, sizeBytes, replaces } = staged;
  return [
    `${name} (${id}) ${version}${replaces ? `, in place of ${replaces}` : ''}`,
    `  ${description}`,
    `  from      ${source}`,
    `  sha256    ${sha256} (${files} files, ${formatBytes(sizeBytes)})`,
    ...(programs.length === 0 ? ['  programs  none'] : []),
    ...programs.map(({ path, there }) => `  program   ${path}${there ? '' : ' (not on this host)'}`),
    'Its code runs inside of Cairn, as root: nothing can keep it from doing what it wants. Trust its author, or leave it.',
  ]
    .map(printable)
    .join('\n');
}

async function install(
  context: Context,
  from: string,
  options: Record<string, string | string[] | boolean | undefined>,
) {
  const isAddress = /^https?:\/\//.test(from);
  const sum = options['sha256'];
  if (isAddress && typeof sum !== 'string')
    throw new CliError(EXIT.usage, 'An address needs the checksum of what is there.', {
      remedy: 'Give --sha256; the author of the plugin publishes it beside the archive.',
    });
  const staged = await context.api.send<StagedPlugin>(
    'POST',
    '/plugins/staged',
    isAddress
      ? { url: from, sha256: sum, allowPrivate: options['private'] === true }
      : { path: context.api.isLocal ? resolve(from) : from },
  );
  context.note(stagedText(staged));
  const given = options['trust'];
  const trust =
    typeof given === 'string' ? given : await typed(context, `Type ${staged.id} to say that you trust it: `);
  if (trust === null)
    throw new CliError(EXIT.usage, 'Nobody can be asked here whether it is to be trusted.', {
      remedy: `Say --trust ${staged.id} if you mean it.`,
    });
  const { sha256, source } = staged;
  return change(context, { path: '/plugins', body: { sha256, source, trust } });
}

async function setEnabled({ api, show }: Context, id: string, verb: 'enable' | 'disable'): Promise<void> {
  const view = await api.send<PluginView>('POST', `/plugins/${encodeURIComponent(id)}/${verb}`);
  show(view, () =>
    printable(
      verb === 'disable'
        ? `${id} is disabled. What it has loaded stays in memory until Cairn is started again.`
        : `${id} is enabled${view.available ? '.' : `, but cannot be used: ${view.reason ?? ''}`}`,
    ),
  );
}

const argument = { plugin: 'Its id' };

export const plugins: Noun = {
  name: 'plugins',
  summary: 'What makes pools and runs machines',
  verbs: [
    {
      usage: 'list',
      summary: 'All plugins, with their layouts',
      isDefault: true,
      async run({ api, show, width }) {
        const { plugins: all } = await api.get<{ plugins: PluginView[] }>('/plugins');
        show({ plugins: all }, () =>
          table<PluginView>(
            [
              { title: 'ID', of: ({ id }) => id },
              { title: 'KIND', of: ({ kind }) => kind },
              { title: 'VERSION', of: ({ version }) => version },
              { title: 'STATE', of: stateOf, state: true },
              { title: 'FROM', of: ({ origin }) => origin },
              {
                title: 'LAYOUTS',
                of: ({ layouts }) => layouts.map(({ id }) => id).join(', '),
                shrinks: true,
              },
              { title: 'WHY NOT', of: ({ reason }) => reason, shrinks: true },
            ],
            inNaturalOrder(all, ({ id }) => id),
            width,
          ),
        );
      },
    },
    {
      usage: 'install <from>',
      summary: 'Install a plugin of somebody else: shows what it is, and asks for its name',
      arguments: { from: 'A folder or an archive on the host, or an address' },
      options: [
        new Option('--sha256 <sum>', 'of the archive at an address'),
        new Option('--private', 'the address is in a private network'),
        new Option('--trust <id>', 'its name, for scripts: you have read what it is'),
      ],
      run: (context, [from = ''], options) => install(context, from, options),
    },
    {
      usage: 'enable <plugin>',
      summary: 'Load it again, also one that was disabled because Cairn ended with it',
      arguments: argument,
      run: (context, [id = '']) => setEnabled(context, id, 'enable'),
    },
    {
      usage: 'disable <plugin>',
      summary: 'Keep it, and do not load it',
      arguments: argument,
      run: (context, [id = '']) => setEnabled(context, id, 'disable'),
    },
    {
      usage: 'remove <plugin>',
      summary: 'Remove one that nothing was made with; asks first',
      arguments: argument,
      run: (context, [id = '']) =>
        change(context, {
          ...{ method: 'DELETE', path: `/plugins/${encodeURIComponent(id)}` },
          question: `Remove the plugin ${id}?`,
        }),
    },
    checkVerb,
    {
      usage: 'new <folder>',
      summary: 'Write a whole small storage plugin to begin with; the name of the folder is its id',
      arguments: { folder: 'One that is not there yet' },
      async run({ show }, [given = '']) {
        const folder = resolve(given);
        const id = basename(folder);
        if (!ID.test(id))
          throw new CliError(EXIT.usage, `"${id}" is no id: lower-case letters, digits and dashes.`);
        if (existsSync(folder)) throw new CliError(EXIT.refused, `${folder} is there already.`);
        const types = join(import.meta.dirname, TYPES);
        const files = { ...skeleton(id), [TYPES]: readFileSync(types, 'utf8') };
        mkdirSync(folder, { recursive: true });
        for (const [name, text] of Object.entries(files))
          writeFileSync(join(folder, name), text, { flag: 'wx' });
        show({ folder, files: Object.keys(files) }, () =>
          [`${folder}: ${Object.keys(files).join(', ')}`, `Try it: cairn plugins install ${folder}`].join(
            '\n',
          ),
        );
      },
    },
  ],
};
