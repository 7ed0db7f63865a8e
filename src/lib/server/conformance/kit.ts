/**
 * The conformance kit: is a plugin what the contract says, before anybody trusts it? It is loaded here, so this runs in a thread of
 * its own, whose owner ends it when it says nothing for too long: see src/check-plugin.ts and src/cli/commands/plugin-check.ts.
 */
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Plugin } from '$lib/plugin-api/sdk';
import type { Grade, KitMessage, RuleResult } from '$lib/shared/plugin-report';
import { createCommands } from '../host/command';
import { kernelHasFilesystem } from '../host/filesystems';
import { readTree, type FileTree } from '../host/file-tree';
import { heldAvailability } from '../plugins/answers';
import { LOAD_LIMIT_MS, pluginMadeBy } from '../plugins/made';
import { manifestOf, type Manifest } from '../plugins/manifest';
import { withTimeout } from '../plugins/time-limit';
import { FILE_RULES } from './files';
import { messageOf } from './rule';
import { rulesFor } from './rules';
import { sampleMachine } from './sample-machine';
import type { Sampled } from './samples';

const CHECK_LIMIT_MS = 10_000;
/** Values for options whose defaults make no pool, of each layout. */
const SAMPLES = 'check.json';
const samples = z.strictObject({
  options: z.record(z.string(), z.record(z.string(), z.json())),
});

type Tell = (message: KitMessage) => void;
type Told = Pick<RuleResult, 'id' | 'grade' | 'title'>;

/** @returns what the work gives; null when the rule is not kept */
async function hold<T>(
  tell: Tell,
  rule: Told,
  work: () => Promise<{ value: T; details?: string[] }>,
): Promise<T | null> {
  tell({ at: rule });
  try {
    const { value, details = [] } = await work();
    tell({ rule: { ...rule, outcome: details.length === 0 ? 'passed' : 'failed', details } });
    return details.length === 0 ? value : null;
  } catch (error) {
    tell({ rule: { ...rule, outcome: 'failed', details: [messageOf(error)] } });
    return null;
  }
}

const rule = (id: string, grade: Grade, title: string): Told => ({ id, grade, title });

function sampleOptionsOf(tree: FileTree): Sampled['sampleOptions'] {
  const text = tree.get(SAMPLES)?.toString('utf8');
  return text === undefined ? {} : (samples.parse(JSON.parse(text)).options as Sampled['sampleOptions']);
}

/** With the programs of this very machine: what is missing here is no fault of the plugin. */
async function askCheck(plugin: Plugin, tell: Tell): Promise<string[]> {
  const machine = sampleMachine(plugin.programs, null);
  const commands = createCommands(plugin.programs);
  const answer = await withTimeout(CHECK_LIMIT_MS, 'its check', async (signal) =>
    heldAvailability(
      await plugin.check({
        ...machine.context,
        signal,
        read(program, argv, options = {}) {
          if (!plugin.programs.includes(program)) return machine.context.read(program, argv, options);
          return commands.read(program, argv, { ...options, signal });
        },
        hasFilesystem: kernelHasFilesystem,
      }),
    ),
  );
  if (!answer.available) tell({ note: `Here it cannot be used: ${answer.reason} ${answer.remedy}` });
  return machine.undeclared.map((program) => `it runs ${program}, which it does not declare`);
}

async function judgeLoaded(plugin: Plugin, tree: FileTree, tell: Tell): Promise<void> {
  await hold(tell, rule('check', 'C', 'says within 10 s whether it can be used here'), async () => ({
    ...{ value: true, details: await askCheck(plugin, tell) },
  }));
  const options = await hold(
    tell,
    rule('samples', 'C', `its ${SAMPLES}, if there is one, can be read`),
    async () => ({
      value: sampleOptionsOf(tree),
    }),
  );
  for (const { judge, ...about } of rulesFor(plugin, options ?? {}))
    await hold(tell, about, async () => ({ value: true, details: await judge() }));
}

/** @param folder of the plugin; nothing in it is changed */
export async function checkPlugin(folder: string, tell: Tell): Promise<void> {
  const read = await hold(tell, rule('manifest', 'C', 'its plugin.json says what it is'), async () => {
    const tree = await readTree(folder, { skipHidden: true });
    return { value: { tree, manifest: manifestOf(tree) } };
  });
  if (!read) return tell({ end: true });
  const { tree, manifest } = read;
  tell({ about: { id: manifest.id, version: manifest.version, kind: null } });
  if (basename(folder) !== manifest.id)
    tell({ note: `Its folder is called ${basename(folder)}; installed it is ${manifest.id}.` });
  for (const { judge, ...about } of FILE_RULES)
    await hold(tell, about, async () => ({ value: true, details: judge(tree, manifest) }));
  const plugin = await load(folder, manifest, tell);
  if (plugin) {
    tell({ about: { id: manifest.id, version: manifest.version, kind: plugin.kind } });
    await judgeLoaded(plugin, tree, tell);
  }
  tell({ end: true });
}

function load(
  folder: string,
  { entry, id, programs, version }: Manifest,
  tell: Tell,
): Promise<Plugin | null> {
  return hold(tell, rule('load', 'C', 'is loaded within 10 s, and is what plugin.json says'), async () => {
    const url = pathToFileURL(join(folder, entry)).href;
    const module = await withTimeout(
      LOAD_LIMIT_MS,
      'loading it',
      async () => import(/* @vite-ignore */ url) as Promise<unknown>,
    );
    const plugin = pluginMadeBy(module, id, programs);
    const details =
      plugin.version === version ? [] : [`it is version ${plugin.version}, and plugin.json says ${version}`];
    return { value: plugin, details };
  });
}
