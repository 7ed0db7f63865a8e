/** A plugin as it is shown, and what can be told of it before its check. */
import { existsSync } from 'node:fs';
import { formOf } from '$lib/plugin-api/fields';
import type { PluginView } from '$lib/shared/wire/plugins';
import type { Loaded } from './loader';

export type Availability = { available: true } | { available: false; reason: string; remedy: string };

export function viewOf(entry: Loaded, availability: Availability): PluginView {
  const { plugin } = entry;
  const state = availability.available
    ? { available: true, reason: null, remedy: null }
    : { available: false, reason: availability.reason, remedy: availability.remedy };
  return {
    id: entry.id,
    kind: plugin?.kind ?? 'storage',
    name: plugin?.name ?? entry.id,
    description: plugin?.description ?? '',
    version: entry.trusted?.trust?.version ?? plugin?.version ?? '',
    ...(plugin?.kind === 'storage' && plugin.young ? { young: true } : {}),
    origin: entry.origin,
    installed: entry.trusted?.view ?? null,
    programs: plugin?.programs ?? entry.trusted?.trust?.programs ?? [],
    ...state,
    layouts: (plugin?.kind === 'storage' ? plugin.layouts : []).map(
      ({ id, title, description, minDrives, maxDrives }) => ({
        id,
        title,
        description,
        minDrives,
        maxDrives,
      }),
    ),
    form: plugin?.kind === 'storage' ? formOf(plugin.options) : [],
  };
}

/** What can be told without starting a program: whether it was loaded and its programs are there. The check tells the rest. */
export function firstAnswer(entry: Loaded): Availability {
  if (!entry.plugin) return { available: false, reason: entry.reason, remedy: entry.remedy };
  const missing = entry.plugin.programs.filter((program) => !existsSync(program));
  if (missing.length === 0) return { available: true };
  return {
    available: false,
    reason: `Not installed: ${missing.join(', ')}.`,
    remedy: 'Install the packages that have them, then check again.',
  };
}
