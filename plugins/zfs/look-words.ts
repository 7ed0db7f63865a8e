/** What all looks are made of. */
import type { Json, JsonObject, LookResult, LookStatus } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import type { ShownPool } from './parse-status';

export type PluginLook = (context: PluginContext, args: JsonObject) => Promise<LookResult>;
export type Imported = ShownPool & { suspended: boolean };

export const seen = (status: LookStatus, evidence: string, percent?: number | null): LookResult => ({
  status,
  evidence,
  ...(percent === undefined || percent === null ? {} : { percent }),
});
export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
