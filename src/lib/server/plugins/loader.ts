/**
 * The one loader. Built-in plugins are bundled, third-party ones are imported from `<data>/plugins/<id>/plugin.js` (or
 * .ts, whose types Node strips); both are modules whose default export gets the SDK and returns a plugin, and both pass
 * the same checks. A plugin that cannot be loaded is listed with the reason; the others go on.
 */
/// <reference types="vite/client" />
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as sdk from '$lib/plugin-api';
import type { Plugin } from '$lib/plugin-api/sdk';
import type { PluginView } from '$lib/shared/wire/plugins';
import { checkShape } from './shape';
import { withTimeout } from './time-limit';

const LOAD_LIMIT_MS = 10_000;
const MODULE_NAMES = ['plugin.js', 'plugin.ts'];

export type Origin = PluginView['origin'];
/** A plugin's folder, found and tried. */
export type Loaded = { id: string; origin: Origin } & (
  { plugin: Plugin } | { plugin: null; reason: string; remedy: string }
);

type Source = { id: string; origin: Origin; read: () => Promise<unknown> };

const builtIn = import.meta.glob('/plugins/*/plugin.server.ts', { eager: true });

const builtInSources = (): Source[] =>
  Object.entries(builtIn).map(([path, module]) => ({
    id: basename(dirname(path)),
    origin: 'built-in',
    read: () => Promise.resolve(module),
  }));

async function thirdPartySources(directory: string): Promise<Source[]> {
  if (!existsSync(directory)) return [];
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({
      id: entry.name,
      origin: 'third-party',
      read: () => {
        const path = MODULE_NAMES.map((name) => join(directory, entry.name, name)).find(existsSync);
        if (!path) throw new Error(`there is neither ${MODULE_NAMES.join(' nor ')} in its folder`);
        return import(/* @vite-ignore */ pathToFileURL(path).href);
      },
    }));
}

async function load(source: Source): Promise<Loaded> {
  const { id, origin } = source;
  try {
    const module = await withTimeout(LOAD_LIMIT_MS, 'loading it', async () => source.read());
    const make = (module as { default?: unknown } | null)?.default;
    if (typeof make !== 'function') throw new Error('its module has no function as default export');
    return { id, origin, plugin: checkShape((make as (api: typeof sdk) => unknown)(sdk), id) };
  } catch (error) {
    return {
      id,
      origin,
      plugin: null,
      reason: `It cannot be loaded: ${error instanceof Error ? error.message : String(error)}.`,
      remedy:
        origin === 'built-in'
          ? 'Install Cairn again.'
          : `Correct the plugin in its folder ${id}, or take the folder away; then restart Cairn.`,
    };
  }
}

/** Built-in plugins first, each kind by id. A third-party plugin cannot take the place of a built-in one. */
export async function loadPlugins(thirdPartyDirectory: string): Promise<Loaded[]> {
  const sources = [...builtInSources(), ...(await thirdPartySources(thirdPartyDirectory))];
  const loaded = await Promise.all(sources.map(load));
  const seen = new Set<string>();
  return loaded
    .toSorted((a, b) => a.origin.localeCompare(b.origin) || a.id.localeCompare(b.id))
    .filter((entry) => {
      const first = !seen.has(entry.id);
      seen.add(entry.id);
      return first;
    });
}
