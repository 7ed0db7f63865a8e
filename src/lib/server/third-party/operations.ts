/** Installing and removing a plugin from others. A file that says what is trusted is the record: it is there, whole, or it is not. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { installRequest } from '$lib/shared/wire/plugin-requests';
import { AppError, issue, issuesError } from '../errors';
import type { Clock } from '../clock';
import type { Operations, Prepared } from '../operations/types';
import { trustText, type Trust } from '../plugins/installed';
import type { Plugins } from '../plugins/registry';
import { readStaged } from './staging';

export const INSTALL = 'plugin.install';
export const REMOVE = 'plugin.remove';
const MINUTE_MS = 60_000;
export const pluginLock = (id: string): string => `plugin:${id}`;

interface Deps {
  operations: Operations;
  plugins: Plugins;
  clock: Clock;
  /** Names of the pools and machines that were made with it. */
  usersOf(id: string): string[];
  /** Its code was taken in use, or is not any more. */
  changed(id: string): Promise<void>;
}

const frame = (id: string): Pick<Prepared, 'subject' | 'locks' | 'drives' | 'erases' | 'confirmText'> => ({
  subject: { type: 'host', id: pluginLock(id), label: id },
  locks: [pluginLock(id)],
  ...{ drives: [], erases: [], confirmText: null },
});

const asked = installRequest.extend({ by: z.string() });

async function prepareInstall({ plugins, clock }: Deps, raw: JsonObject): Promise<Prepared> {
  const { sha256, trust: typed, source, by } = asked.parse(raw);
  const { installed } = plugins;
  const { manifest, path: staged } = await readStaged(installed, sha256);
  const { id, version } = manifest;
  if (typed !== id)
    throw issuesError([issue('plugin_not_trusted', `Type "${id}" to say that you trust it.`, 'trust')]);
  const home = join(installed.directory, id);
  const before = installed.trustOf(id);
  const record: Trust = {
    ...{ version, folder: `${version}-${sha256.slice(0, 12)}`, sha256, source },
    ...{ entry: manifest.entry, programs: manifest.programs },
    ...{ trustedAt: clock.now(), trustedBy: by },
  };
  const folder = join(home, record.folder);
  const path = installed.trustPath(id);
  const isNew = !existsSync(home);
  const steps: Step[] = [
    {
      name: 'make-folder',
      title: 'Make its folder',
      run: { do: 'make-directory', path: home, mode: 0o700 },
      undo: isNew ? [{ do: 'remove-directory', path: home }] : 'nothing',
      look: looks.directory(home),
    },
    {
      name: 'place-files',
      title: 'Put the files there that were looked at',
      run: { do: 'move-directory', from: staged, path: folder },
      undo: [{ do: 'move-directory', from: folder, path: staged }],
      look: looks.tree(folder, sha256),
    },
    {
      name: 'trust',
      title: 'Write down that it is trusted',
      run: { do: 'write-file', path, content: trustText(record), mode: 0o600 },
      undo: before
        ? [{ do: 'write-file', path, content: trustText(before), mode: 0o600 }]
        : [{ do: 'remove-file', path }],
      look: looks.file(path, trustText(record), before ? trustText(before) : undefined),
    },
  ];
  return {
    ...frame(id),
    input: { id },
    title: before
      ? `Replace the plugin ${id} ${before.version} by ${version}`
      : `Install the plugin ${id} ${version}`,
    steps,
    notes: [
      `It is from ${source}; the SHA-256 of its files is ${sha256}.`,
      manifest.programs.length === 0
        ? 'It asks for no programs.'
        : `Its plans may run ${manifest.programs.join(', ')}.`,
      'Its code runs inside of Cairn, with all of its rights.',
    ],
  };
}

function refuseNeeded({ usersOf }: Deps, id: string): void {
  const users = usersOf(id);
  if (users.length > 0)
    throw new AppError('plugin_in_use', `The plugin ${id} is needed for ${users.join(', ')}.`);
}

function prepareRemove(deps: Deps, raw: JsonObject): Prepared {
  const { plugins } = deps;
  const { id } = z.object({ id: z.string() }).parse(raw);
  const { installed } = plugins;
  const view = plugins.list().find((one) => one.id === id);
  if (view?.origin === 'built-in')
    throw new AppError('plugin_built_in', `The plugin ${id} is a part of Cairn.`);
  const trust = installed.trustOf(id);
  if (!installed.ids().includes(id) || !trust)
    throw new AppError('plugin_not_found', `No plugin "${id}" was installed.`);
  refuseNeeded(deps, id);
  const home = join(installed.directory, id);
  const away = join(installed.removedDir, randomUUID());
  const path = installed.trustPath(id);
  const content = trustText(trust);
  return {
    ...frame(id),
    input: { id },
    title: `Remove the plugin ${id} ${trust.version}`,
    steps: [
      {
        name: 'trust-no-more',
        title: 'Strike out that it is trusted',
        run: { do: 'remove-file', path },
        undo: [{ do: 'write-file', path, content, mode: 0o600 }],
        look: not(looks.file(path, content)),
      },
      {
        name: 'put-away',
        title: 'Put its files away; they are deleted after a day',
        run: { do: 'move-directory', from: home, path: away },
        undo: [{ do: 'move-directory', from: away, path: home }],
        look: not(looks.directory(home)),
      },
    ],
    notes: [
      'What it has loaded stays in memory until Cairn is started again, and is asked nothing any more.',
    ],
  };
}

export function definePluginOperations(deps: Deps): void {
  const { operations } = deps;
  const record = { begin() {}, succeed() {}, takenBack() {}, needsYou() {} };
  const beforeEnd = async ({ input }: Prepared): Promise<void> => deps.changed(String(input['id']));
  operations.define({
    ...{ kind: INSTALL, onInterrupt: 'take-back', deadlineMs: MINUTE_MS, record, beforeEnd },
    prepare: (raw) => prepareInstall(deps, raw),
  });
  operations.define({
    ...{ kind: REMOVE, onInterrupt: 'finish', deadlineMs: MINUTE_MS, beforeEnd },
    // Once more where nothing can come in between: a pool may have been made with it since it was planned.
    record: { ...record, begin: (_tx, _id, { input }) => refuseNeeded(deps, String(input['id'])) },
    prepare: async (raw) => prepareRemove(deps, raw),
  });
}
