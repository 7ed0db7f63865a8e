/**
 * `.cairn/pool.json` in the root of every pool: who it is, so that it can be recognised on another machine even when
 * Cairn's database is lost. The text is a pure function of the pool, so that "is it written?" is a comparison.
 */
import { canonicalJson } from '../shared/json';
import type { PoolSpec } from './storage';

export const IDENTITY_FOLDER = '.cairn';
export const IDENTITY_FILE = 'pool.json';
export const IDENTITY_VERSION = 1;

export interface PoolIdentity {
  cairn: typeof IDENTITY_VERSION;
  guid: string;
  label: string;
  plugin: string;
  layout: string;
  options: PoolSpec['options'];
  drives: { slot: number; serial: string | null; label: string }[];
}

export const identityFolder = (spec: PoolSpec): string => `${spec.mountPath}/${IDENTITY_FOLDER}`;
export const identityPath = (spec: PoolSpec): string => `${identityFolder(spec)}/${IDENTITY_FILE}`;

/** @param pluginId the plugin that can read this pool */
export function identityText(pluginId: string, spec: PoolSpec): string {
  const identity: PoolIdentity = {
    cairn: IDENTITY_VERSION,
    guid: spec.guid,
    label: spec.label,
    plugin: pluginId,
    layout: spec.layout,
    options: spec.options,
    drives: spec.drives
      .toSorted((a, b) => a.slot - b.slot)
      .map(({ slot, serial, label }) => ({ slot, serial, label })),
  };
  return `${JSON.stringify(JSON.parse(canonicalJson(identity)), null, 2)}\n`;
}
