/**
 * The one loader. Built-in plugins are bundled, those from others are imported from the folder that was trusted (types in a .ts
 * are stripped by Node); both are modules whose default export gets the SDK and returns a plugin, and both pass
 * the same checks. A plugin that cannot be loaded is listed with the reason; the others go on.
 */
/// <reference types="vite/client" />
import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from '$lib/plugin-api/sdk';
import type { PluginView } from '$lib/shared/wire/plugins';
import type { Installed, Loadable } from './installed';
import { LOAD_LIMIT_MS, pluginMadeBy } from './made';
import { withTimeout } from './time-limit';

export type Origin = PluginView['origin'];
/** A plugin's folder, found and tried. */
export type Loaded = {
  id: string;
  origin: Origin;
  /** How one from others came here. */
  trusted?: Loadable;
} & ({ plugin: Plugin } | { plugin: null; reason: string; remedy: string });

interface Source {
  id: string;
  origin: Origin;
  trusted?: Loadable;
  read: () => Promise<unknown>;
  /** null: no limit but the list of its own. */
  programs: string[] | null;
  remedy: string;
}

const builtIn = import.meta.glob('/plugins/*/plugin.server.ts', { eager: true });
export const BUILT_IN = Object.keys(builtIn).map((path) => basename(dirname(path)));

const builtInSources = (): Source[] =>
  Object.entries(builtIn).map(([path, module]) => ({
    id: basename(dirname(path)),
    origin: 'built-in',
    read: () => Promise.resolve(module),
    programs: null,
    remedy: 'Install Cairn again.',
  }));

async function load({ id, origin, trusted, read, programs, remedy }: Source): Promise<Loaded> {
  const about = { id, origin, ...(trusted ? { trusted } : {}) };
  try {
    const module = await withTimeout(LOAD_LIMIT_MS, 'loading it', async () => read());
    return { ...about, plugin: pluginMadeBy(module, id, programs) };
  } catch (error) {
    const reason = `It cannot be loaded: ${error instanceof Error ? error.message : String(error)}.`;
    return { ...about, plugin: null, reason, remedy };
  }
}

/** @param id one from others, whose folder is there */
export async function loadThirdParty(installed: Installed, id: string): Promise<Loaded> {
  const trusted = await installed.open(id, { begin: true });
  const origin = 'third-party';
  if (trusted.path === null)
    return { id, origin, trusted, plugin: null, reason: trusted.reason, remedy: trusted.remedy };
  const url = pathToFileURL(trusted.path).href;
  return load({
    ...{ id, origin, trusted, programs: trusted.trust.programs },
    read: () => installed.during(id, async () => import(/* @vite-ignore */ url)),
    remedy: 'Install a version of it that is mended, or remove it.',
  });
}

/** Built-in plugins first, each kind by id. A third-party plugin cannot take the place of a built-in one. */
export async function loadPlugins(installed: Installed): Promise<Loaded[]> {
  const loaded = await Promise.all(builtInSources().map(load));
  loaded.sort((a, b) => a.id.localeCompare(b.id));
  // One after another: one that ends the process is the last that was put down.
  for (const id of installed.ids())
    if (!BUILT_IN.includes(id)) loaded.push(await loadThirdParty(installed, id));
  return loaded;
}
