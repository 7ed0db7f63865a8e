/** The conditions of what is no pool and no drive: operations, plugins, the sources of live change. Pure. */
import type { SystemView } from '$lib/shared/wire/feed';
import type { Operation } from '$lib/shared/wire/operations';
import type { PluginView } from '$lib/shared/wire/plugins';
import type { Pool } from '$lib/shared/wire/pools';
import type { Condition } from './condition';

/** A program that ends is started again at once: only one that stays down is told. */
const SOURCE_SETTLE_MS = 3_000;

export const operationConditions = (operations: Operation[]): Condition[] =>
  operations
    .filter((operation) => operation.state === 'needs-attention')
    .map((operation) => ({
      id: `operation:${operation.id}:needs-attention`,
      kind: 'operation.needs-attention',
      severity: 'critical',
      subject: operation.subject,
      title: `"${operation.title}" needs you`,
      text:
        operation.error?.message ?? operation.evidence.at(-1) ?? 'It stopped, and cannot decide by itself.',
      remedy: 'Open the operation: look again and go on, or leave things as they are.',
    }));

/** What Cairn does by itself and tells in another way: a schedule of snapshots, a start with the host, a mount. */
const TOLD_OTHERWISE = /^(pool\.snapshot\.|vm\.start$|pool\.mount$)/;

/**
 * Nobody was there to see that it failed. It is over when the same has been done since, by whomever, or after a week.
 * @param failures the last of their kind about their subject
 */
export const unwatchedConditions = (failures: Operation[]): Condition[] =>
  failures
    .filter(({ kind }) => !TOLD_OTHERWISE.test(kind))
    .map((operation) => ({
      // Not its own id: what is begun again and again, and fails each time, is told once.
      id: `failed:${operation.kind}:${operation.subject.id}`,
      kind: 'operation.failed',
      severity: 'warning',
      subject: operation.subject,
      title: `"${operation.title}" failed`,
      text: operation.error?.message ?? 'It was begun by Cairn itself and did not succeed.',
      remedy:
        operation.error?.remedy ??
        'Open the operation: it says what was in the way. Try it again from there.',
    }));

/** A plugin that cannot be used matters only to the pools that were made with it. */
export function pluginConditions(plugins: PluginView[], pools: Pool[]): Condition[] {
  return [...new Set(pools.map((pool) => pool.plugin))].flatMap((id): Condition[] => {
    const plugin = plugins.find((candidate) => candidate.id === id);
    if (plugin?.available) return [];
    // Not tried yet: every plugin is started once after the start, and says why when it cannot be used.
    if (plugin && plugin.reason === null) return [];
    const names = pools.filter((pool) => pool.plugin === id).map((pool) => `"${pool.label}"`);
    return [
      {
        id: `plugin:${id}:unavailable`,
        kind: 'plugin.unavailable',
        severity: 'warning',
        subject: { type: 'host', id: `plugin:${id}`, label: plugin?.name ?? id },
        title: `The plugin ${plugin?.name ?? `"${id}"`} cannot be used`,
        text: `${plugin?.reason ?? 'It is not installed.'} Cairn can neither read nor change ${names.join(', ')}.`,
        remedy: plugin?.remedy ?? 'Install the plugin again, then restart Cairn.',
      },
    ];
  });
}

/** One from others that Cairn itself does not load any more is told of, whether a pool needs it or not. */
export const thirdPartyConditions = (plugins: PluginView[]): Condition[] =>
  plugins.flatMap(({ id, name, installed, reason, remedy }): Condition[] =>
    installed?.state === 'changed' || installed?.state === 'failed' || installed?.state === 'not-trusted'
      ? [
          {
            id: `plugin:${id}:${installed.state}`,
            kind: 'plugin.not-loaded',
            severity: installed.state === 'changed' ? 'critical' : 'warning',
            subject: { type: 'host', id: `plugin:${id}`, label: name },
            title: `The plugin ${id} is not loaded`,
            text: reason ?? 'It is not loaded.',
            remedy: remedy ?? 'Look at it on the page Settings.',
          },
        ]
      : [],
  );

export const sourceConditions = (sources: SystemView['sources']): Condition[] =>
  sources
    .filter((source) => !source.ok)
    .map((source) => ({
      id: `source:${source.name}:down`,
      kind: 'source.down',
      severity: 'warning',
      subject: { type: 'host', id: `source:${source.name}`, label: source.name },
      title: `Changes are not seen: ${source.name} is down`,
      text: `${source.reason ?? 'It ended.'} It is started again and again; until then what is shown may be old.`,
      remedy: 'When it stays so, look at the log and restart Cairn.',
      settleMs: SOURCE_SETTLE_MS,
    }));
