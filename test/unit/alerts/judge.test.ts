import { describe, expect, it } from 'vitest';
import type { Condition } from '$lib/server/alerts/condition';
import { operationConditions, pluginConditions, sourceConditions } from '$lib/server/alerts/host-conditions';
import { judge, type Waiting } from '$lib/server/alerts/judge';
import type { Alert } from '$lib/shared/wire/alerts';
import type { Operation } from '$lib/shared/wire/operations';
import type { PluginView } from '$lib/shared/wire/plugins';
import type { Pool } from '$lib/shared/wire/pools';

const condition = (over: Partial<Condition> = {}): Condition => ({
  ...{
    id: 'pool:g1:degraded',
    kind: 'pool.degraded',
    severity: 'warning',
    title: 'T',
    text: 'X',
    remedy: null,
  },
  subject: { type: 'pool', id: 'g1', label: 'tank' },
  ...over,
});
const alert = (over: Partial<Alert> = {}): Alert => ({
  ...condition(),
  ...{ raisedAt: 1, changedAt: 1, resolvedAt: null, acknowledgedAt: null, acknowledgedBy: null },
  ...over,
});
const none: Waiting = new Map();
const never = { unknown: () => false };

describe('what becomes of a condition', () => {
  it('is raised once it has held for a moment', () => {
    const first = judge([], { conditions: [condition()], ...never }, none, 1_000);
    expect(first).toMatchObject({ raise: [], lookAgainMs: 400 });
    const early = judge([], { conditions: [condition()], ...never }, first.waiting, 1_100);
    expect(early).toMatchObject({ raise: [], lookAgainMs: 300 });
    const settled = judge([], { conditions: [condition()], ...never }, early.waiting, 1_400);
    expect(settled).toMatchObject({ raise: [{ id: 'pool:g1:degraded' }], lookAgainMs: null });
  });

  it('is not raised when it was over before that, and waits anew the next time', () => {
    const first = judge([], { conditions: [condition()], ...never }, none, 1_000);
    const over = judge([], { conditions: [], ...never }, first.waiting, 1_200);
    expect(over.lookAgainMs).toBeNull();
    expect(judge([], { conditions: [condition()], ...never }, over.waiting, 5_000).raise).toEqual([]);
  });

  it('is resolved once it has been over for a moment, not when it blinks', () => {
    const blink = judge([alert()], { conditions: [], ...never }, none, 1_000);
    expect(blink).toMatchObject({ resolve: [], lookAgainMs: 400 });
    const back = judge([alert()], { conditions: [condition()], ...never }, blink.waiting, 1_100);
    expect(back).toMatchObject({ raise: [], change: [], resolve: [], lookAgainMs: null });
    expect(judge([alert()], { conditions: [], ...never }, blink.waiting, 1_500).resolve).toHaveLength(1);
  });

  it('stays as it is while nothing is known of it', () => {
    const verdict = judge([alert()], { conditions: [], unknown: () => true }, none, 9_000);
    expect(verdict).toMatchObject({ raise: [], change: [], resolve: [], lookAgainMs: null });
  });

  it('tells what changed, and asks anew for attention only when it became worse', () => {
    const acknowledged = alert({ acknowledgedAt: 5, acknowledgedBy: 'anna' });
    const changed = (over: Partial<Condition>) =>
      judge([acknowledged], { conditions: [condition(over)], ...never }, none, 1).change;
    expect(changed({})).toEqual([]);
    expect(changed({ text: 'Y' })).toMatchObject([{ dropAcknowledgement: false }]);
    expect(changed({ severity: 'critical' })).toMatchObject([{ dropAcknowledgement: true }]);
    expect(changed({ severity: 'info' })).toMatchObject([{ dropAcknowledgement: false }]);
  });
});

describe('the conditions of the machine', () => {
  it('a source of change that is down is told when it stays down', () => {
    const [found] = sourceConditions([
      { name: 'mount-table', ok: false, reason: 'perl ended with exit code 1' },
      { name: 'block-devices', ok: true, reason: null },
    ]);
    expect(found).toMatchObject({
      id: 'source:mount-table:down',
      text: expect.stringContaining('exit code 1'),
    });
    const first = judge([], { conditions: [found as Condition], ...never }, none, 0);
    expect(first.lookAgainMs).toBe(3_000);
  });

  it('a plugin that cannot be used is told when a pool was made with it', () => {
    const btrfs = {
      id: 'btrfs',
      name: 'btrfs',
      available: false,
      reason: 'Not installed: btrfs.',
      remedy: 'Install it.',
    };
    const zfs = { ...btrfs, id: 'zfs', name: 'ZFS' };
    const plugins = [btrfs, zfs] as PluginView[];
    const pools = [
      { plugin: 'btrfs', label: 'tank' },
      { plugin: 'gone', label: 'old' },
    ] as Pool[];
    expect(pluginConditions(plugins, pools)).toMatchObject([
      { id: 'plugin:btrfs:unavailable', text: expect.stringContaining('"tank"'), remedy: 'Install it.' },
      { id: 'plugin:gone:unavailable', text: expect.stringContaining('It is not installed.') },
    ]);
    expect(pluginConditions(plugins, [])).toEqual([]);
  });

  it('an operation that needs somebody is told with what stopped it', () => {
    const operation = {
      ...{ id: 'o1', title: 'Remove pool "tank"', evidence: [], state: 'needs-attention' },
      ...{ subject: { type: 'pool', id: 'g1', label: 'tank' } },
      error: { code: 'foreign_state', message: 'Another filesystem is there.', remedy: null },
    } as unknown as Operation;
    expect(operationConditions([operation, { ...operation, id: 'o2', state: 'running' }])).toMatchObject([
      { id: 'operation:o1:needs-attention', severity: 'critical', text: 'Another filesystem is there.' },
    ]);
  });
});
