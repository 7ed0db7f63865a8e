/** The rules of the house as tests. Each message tells the cure. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../src/lib/shared/error-codes';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = ['src', 'plugins']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((path) => /\.(ts|svelte|mjs)$/.test(path) && !path.endsWith('.d.ts'));
const text = new Map(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]));

interface Import {
  from: string;
  /** Path below the root, or a package's name. */
  to: string;
  typeOnly: boolean;
}
const importPattern =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*(?:\/\*.*?\*\/\s*)?['"]([^'"]+)['"]\s*\)/gm;

function resolveSpecifier(from: string, specifier: string): string {
  if (specifier.startsWith('$lib/')) return `src/lib/${specifier.slice('$lib/'.length)}`;
  if (specifier.startsWith('$plugins/')) return `plugins/${specifier.slice('$plugins/'.length)}`;
  if (specifier.startsWith('.')) return relative(root, join(root, from, '..', specifier));
  return specifier;
}
const imports: Import[] = files.flatMap((from) =>
  [...(text.get(from) ?? '').matchAll(importPattern)].map((match) => ({
    from,
    to: resolveSpecifier(from, match[2] ?? match[3] ?? ''),
    typeOnly: match[1] !== undefined,
  })),
);
const say = (list: Import[]): string[] => list.map(({ from, to }) => `${from} imports ${to}`);
const isIn = (path: string, ...folders: string[]): boolean =>
  folders.some((folder) => path === folder || path.startsWith(folder));

describe('single doorways', () => {
  const doorways: [name: string, allowed: string[], cure: string][] = [
    ['execa', ['src/lib/server/host/'], 'run programs through host/command.ts'],
    [
      'node:child_process',
      // The last two begin a Cairn to be killed, and clear away what it cannot any more.
      ['src/setup.mjs', 'src/release.mjs', 'src/cli/throwaway.ts', 'src/cli/leftovers.ts'],
      'run programs through host/command.ts',
    ],
    [
      'drizzle-orm',
      ['src/lib/server/db/', 'src/lib/server/operations/journal.ts'],
      'put queries into the noun’s store.ts',
    ],
    [
      '@trpc/server',
      ['src/lib/server/trpc/', 'src/lib/server/sockets/'],
      'keep transport out of the services',
    ],
    ['ws', ['src/lib/server/sockets/'], 'sockets live in sockets/'],
    ['node-cron', ['src/lib/server/schedule/'], 'jobs are named in schedule/'],
    ['better-sqlite3', ['src/lib/server/db/', 'src/lib/server/instance-lock.ts'], 'open databases in db/'],
  ];
  it.each(doorways)('%s is imported only where it belongs', (name, allowed, cure) => {
    const wrong = imports.filter(
      ({ from, to, typeOnly }) =>
        !typeOnly &&
        (to === name || to.startsWith(`${name}/`)) &&
        !isIn(from, ...allowed) &&
        !(name === 'drizzle-orm' && from.endsWith('store.ts')),
    );
    expect(say(wrong), cure).toEqual([]);
  });

  it('the environment is read only in config.ts', () => {
    const wrong = files.filter(
      (path) =>
        /process\.env\b/.test(text.get(path) ?? '') &&
        !isIn(
          path,
          'src/lib/server/config.ts',
          'src/setup.mjs',
          'src/release.mjs',
          'src/main.ts',
          'src/cli/cairn.ts',
        ),
    );
    expect(wrong, 'add the variable to config.ts and pass the value').toEqual([]);
  });
});

describe('who may import whom', () => {
  const rules: [title: string, wrong: (entry: Import) => boolean, cure: string][] = [
    [
      'shared imports nothing of ours',
      ({ from, to }) =>
        isIn(from, 'src/lib/shared/') && isIn(to, 'src/', 'plugins/') && !isIn(to, 'src/lib/shared/'),
      'move what is needed into shared',
    ],
    [
      'the command is a client: it imports shared only',
      ({ from, to }) =>
        isIn(from, 'src/cli/') && isIn(to, 'src/', 'plugins/') && !isIn(to, 'src/cli/', 'src/lib/shared/'),
      'ask the server over REST',
    ],
    [
      'the plugin API imports shared only',
      ({ from, to }) =>
        isIn(from, 'src/lib/plugin-api/') &&
        isIn(to, 'src/', 'plugins/') &&
        !isIn(to, 'src/lib/plugin-api/', 'src/lib/shared/'),
      'the plugin API is public: keep it free of the server',
    ],
    [
      'plugins import the plugin API and their own folder',
      ({ from, to }) =>
        from.startsWith('plugins/') &&
        !isIn(to, from.split('/').slice(0, 2).join('/'), 'src/lib/plugin-api', 'node:'),
      'take it from the sdk argument',
    ],
    [
      'ui knows no domain',
      ({ from, to }) =>
        isIn(from, 'src/lib/ui/') &&
        isIn(to, 'src/lib/features/', 'src/lib/client/', 'src/lib/server/', 'src/routes/'),
      'pass it in as a property',
    ],
    [
      'features do not import routes or the server',
      ({ from, to }) => isIn(from, 'src/lib/features/') && isIn(to, 'src/routes/', 'src/lib/server/'),
      'use the client',
    ],
    [
      'the browser side takes only types from the server',
      ({ from, to, typeOnly }) =>
        isIn(from, 'src/lib/client/', 'src/lib/features/', 'src/lib/ui/') &&
        isIn(to, 'src/lib/server/') &&
        !typeOnly,
      'use import type',
    ],
    [
      'drives know nothing of pools',
      ({ from, to }) => isIn(from, 'src/lib/server/drives/') && isIn(to, 'src/lib/server/pools/'),
      'news travels backwards by events',
    ],
    [
      'operations know no noun',
      ({ from, to }) =>
        isIn(from, 'src/lib/server/operations/') &&
        isIn(
          to,
          'src/lib/server/drives/',
          'src/lib/server/pools/',
          'src/lib/server/plugins/',
          'src/lib/server/auth/',
          'src/lib/server/trpc/',
        ),
      'define the operation in the noun’s operations.ts',
    ],
    [
      'host knows nothing above it',
      ({ from, to, typeOnly }) =>
        isIn(from, 'src/lib/server/host/') &&
        !typeOnly &&
        isIn(to, 'src/lib/server/') &&
        !isIn(to, 'src/lib/server/host/', 'src/lib/server/errors', 'src/lib/server/clock'),
      'emit an event instead',
    ],
    [
      'services do not know the transport',
      ({ from, to }) =>
        isIn(
          from,
          'src/lib/server/drives/',
          'src/lib/server/pools/',
          'src/lib/server/plugins/',
          'src/lib/server/auth/',
        ) && isIn(to, 'src/lib/server/trpc/', 'src/lib/server/rest/', 'src/lib/server/sockets/'),
      'throw an AppError; the border translates it',
    ],
  ];
  it.each(rules)('%s', (_title, wrong, cure) => {
    expect(say(imports.filter(wrong)), cure).toEqual([]);
  });

  const paths = new Set(files);
  const fileOf = (to: string): string | undefined =>
    [to, `${to}.ts`, `${to}/index.ts`].find((candidate) => paths.has(candidate));

  it('the browser side does not load the schemas of requests', () => {
    const withSchemas = new Set(imports.filter(({ to }) => to === 'zod').map(({ from }) => from));
    const wrong = imports.filter(
      ({ from, to, typeOnly }) =>
        (isIn(from, 'src/lib/client/', 'src/lib/features/', 'src/lib/ui/') ||
          (isIn(from, 'src/lib/shared/') && !withSchemas.has(from))) &&
        !typeOnly &&
        (to === 'zod' || withSchemas.has(fileOf(to) ?? '')),
    );
    expect(
      say(wrong),
      'a third of the first load: keep limits and lists beside wire/, as vm-limits.ts',
    ).toEqual([]);
  });

  it('a page loads a dialog when it is opened', () => {
    const isDialog = (path: string): boolean => path.endsWith('Dialog.svelte');
    const wrong = files
      .filter((path) => !isDialog(path))
      .flatMap((from) =>
        [...(text.get(from) ?? '').matchAll(/^\s*import\s[^;(]*?from '([^']*Dialog\.svelte)'/gm)].map(
          ([, to = '']) => ({ from, to, typeOnly: false }),
        ),
      );
    expect(say(wrong), 'the library of dialogs is larger than most pages: use import()').toEqual([]);
  });

  it('an icon is given nothing but its looks: it is built to take no more', () => {
    const wrong = files
      .filter((path) => path.endsWith('.svelte'))
      .flatMap((path) => {
        const source = text.get(path) ?? '';
        const icons = [...source.matchAll(/import (\w+) from '@lucide\/svelte/g)].map(
          ([, name = '']) => name,
        );
        if (icons.length === 0) return [];
        return [
          ...source.matchAll(
            new RegExp(`<(?:${icons.join('|')})\\s((?:"[^"]*"|\\{[^}]*\\}|[^>])*?)/?>`, 'g'),
          ),
        ]
          .flatMap(([, given = '']) => [...given.replaceAll(/"[^"]*"|\{[^}]*\}/g, '=').matchAll(/[\w-]+/g)])
          .filter(([name]) => !['class', 'strokeWidth', 'aria-hidden'].includes(name))
          .map(([name]) => `${path}: ${name}`);
      });
    expect(wrong, 'see plainIcons in svelte.config.js').toEqual([]);
  });

  it('has no import cycles', () => {
    const graph = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) {
      const target = typeOnly ? undefined : fileOf(to);
      if (target) graph.set(from, [...(graph.get(from) ?? []), target]);
    }
    const state = new Map<string, 'open' | 'closed'>();
    const cycles: string[] = [];
    const visit = (path: string, trail: string[]): void => {
      if (state.get(path) === 'closed') return;
      if (state.get(path) === 'open')
        return void cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      state.set(path, 'open');
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      state.set(path, 'closed');
    };
    for (const path of graph.keys()) visit(path, []);
    expect(cycles, 'split off what both need').toEqual([]);
  });
});

describe('budgets', () => {
  /** Files that may be longer, each with its reason. */
  const LONG_FILES: Record<string, string> = {
    'src/lib/server/operations/operations.ts': 'the one facade: a list of short verbs',
    'src/lib/shared/error-codes.ts': 'one table',
    'src/lib/server/db/schema.ts': 'the tables: one list, read as one',
  };
  it('a file holds one idea in at most 300 lines', () => {
    const long = files
      .map((path) => ({ path, lines: (text.get(path) ?? '').split('\n').length }))
      .filter(({ path, lines }) => lines > 300 && !(path in LONG_FILES))
      .map(({ path, lines }) => `${path}: ${lines}`);
    expect(long, 'split it by idea, or name it here with the reason').toEqual([]);
  });
  it('names say what a thing is, not that it manages, handles or helps', () => {
    const vague = files.filter((path) =>
      /(manager|helper|utils?|processor|handler)\.(ts|svelte)$/i.test(path),
    );
    expect(vague, 'name it after what it holds').toEqual([]);
  });
  it('holds no any, no ignored type errors and no swallowed errors', () => {
    const wrong = files.filter((path) =>
      /\bas any\b|: any\b|<any>|@ts-(ignore|nocheck|expect-error)|catch\s*(\([^)]*\))?\s*\{\s*\}|\.catch\(\(\)\s*=>\s*(\{\s*\}|undefined|null)\)/.test(
        text.get(path) ?? '',
      ),
    );
    expect(wrong, 'type it, or handle the error').toEqual([]);
  });
});

describe('errors', () => {
  it('every error code can be met: something in the product throws or reports it', () => {
    const all = [...text]
      .filter(([path]) => path !== 'src/lib/shared/error-codes.ts')
      .map(([, content]) => content)
      .join('\n');
    const unused = Object.keys(ERROR_CODES).filter((code) => !all.includes(`'${code}'`));
    expect(unused, 'remove the code, or throw it where it is meant').toEqual([]);
  });
  it('every error that a person can cause has a remedy or says why there is none', () => {
    const bare = Object.entries(ERROR_CODES)
      .filter(([, entry]) => entry.kind === 'input' && !('remedy' in entry))
      .map(([code]) => code);
    expect(bare).toEqual([]);
  });
});
