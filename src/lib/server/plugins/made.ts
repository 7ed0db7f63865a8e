/** From a module to a plugin, for the loader and for the kit that checks plugins. */
import * as sdk from '$lib/plugin-api';
import type { Plugin } from '$lib/plugin-api/sdk';
import { checkShape } from './shape';

export const LOAD_LIMIT_MS = 10_000;

/**
 * @param programs what it may run at most; null: no limit but the list of its own
 * @throws Error that names what is wrong with it, or what its function throws
 */
export function pluginMadeBy(module: unknown, id: string, programs: string[] | null): Plugin {
  const make = (module as { default?: unknown } | null)?.default;
  if (typeof make !== 'function') throw new Error('its module has no function as default export');
  const plugin = checkShape((make as (api: typeof sdk) => unknown)(sdk), id);
  const unknown = plugin.programs.filter((program) => programs && !programs.includes(program));
  if (unknown.length > 0)
    throw new Error(`it wants to run ${unknown.join(', ')}, which its plugin.json does not name`);
  return plugin;
}
