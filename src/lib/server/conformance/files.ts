/** What can be told from the files of a plugin alone: nothing of it is run. */
import type { Grade } from '$lib/shared/plugin-report';
import type { FileTree } from '../host/file-tree';
import type { Manifest } from '../plugins/manifest';

interface FileRule {
  id: string;
  grade: Grade;
  title: string;
  judge(tree: FileTree, manifest: Manifest): string[];
}

const IMPORT =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)['"]((?:node:)?[a-z_/@][\w./@-]*|\.{1,2}\/[^'"]+)['"]/g;
const TYPES_ONLY = /^\s*import\s+type\b.*$/gm;
/** Start programs or other threads, or reach into the process. */
const STARTS = ['child_process', 'cluster', 'worker_threads', 'inspector', 'vm', 'v8', 'module'];
/** Change the machine, or talk to others, past the context. */
const ACTS = ['fs', 'fs/promises', 'net', 'http', 'https', 'http2', 'dgram', 'tls', 'dns', 'sqlite'];

/** @returns `file: imported`, of its sources */
function importsOf(tree: FileTree): { file: string; name: string }[] {
  return [...tree].flatMap(([file, content]) => {
    if (!/\.(js|mjs|cjs|ts)$/.test(file) || file.endsWith('.d.ts')) return [];
    const source = content.toString('utf8').replaceAll(TYPES_ONLY, '');
    return [...source.matchAll(IMPORT)].map(([, name = '']) => ({ file, name: name.replace(/^node:/, '') }));
  });
}
const named = (tree: FileTree, names: string[], what: string): string[] =>
  importsOf(tree)
    .filter(({ name }) => names.includes(name))
    .map(({ file, name }) => `${file} imports ${name}: ${what}`);

export const FILE_RULES: FileRule[] = [
  {
    ...{ id: 'programs', grade: 'C', title: 'starts no program by itself' },
    judge: (tree) => named(tree, STARTS, 'programs are run by steps, and read by context.read'),
  },
  {
    ...{ id: 'doorway', grade: 'B', title: 'touches the machine through its context only' },
    judge: (tree) => [
      ...named(tree, ACTS, 'what it needs to know is in the context, what it changes is a step'),
      ...importsOf(tree)
        .filter(({ name }) => /^[a-z@]/.test(name) && !tree.has(name))
        .filter(({ name }) => !isOfNode(name))
        .map(({ file, name }) => `${file} imports ${name}, which is not among its files`),
    ],
  },
  {
    ...{
      id: 'readme',
      grade: 'A',
      title: 'has a README.md that says what it puts on drives, and what it needs',
    },
    judge: (tree) =>
      (tree.get('README.md')?.length ?? 0) >= 200 ? [] : ['there is none, or next to nothing in it'],
  },
];

const isOfNode = (name: string): boolean => process.getBuiltinModule(`node:${name}`) !== undefined;
