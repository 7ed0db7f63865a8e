import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRates } from '$lib/server/auth/rates';
import { metricsOf } from '$lib/server/metrics/metrics';
import { metricsText } from '$lib/server/metrics/text';
import type { Services } from '$lib/server/services';
import type { Actor } from '$lib/shared/wire/session';
import { parseMetrics } from '../../support/parse-metrics';

describe('the text for Prometheus', () => {
  it('is read back as it was meant, whatever a label holds', () => {
    const labels = { pool: 'a "b" \\ c\nd', plugin: '' };
    const text = metricsText([
      { name: 'cairn_x_bytes', help: 'One\nline \\.', type: 'gauge', samples: [{ labels, value: 1.5e12 }] },
      { name: 'cairn_y_total', help: 'None.', type: 'counter', samples: [] },
    ]);
    expect(parseMetrics(text)).toEqual([
      { name: 'cairn_x_bytes', type: 'gauge', samples: [{ labels, value: 1.5e12 }] },
    ]);
  });
});

interface Checked {
  title: string;
  text: string;
  exitCode: number;
  stderr: string;
}
const PROMTOOL = 'test/fixtures/promtool/2.42.0-check-metrics.json';
describe('what the tests read it with', () => {
  const checked = JSON.parse(readFileSync(PROMTOOL, 'utf8')) as Checked[];
  it.each(checked.filter(({ exitCode }) => exitCode !== 0))(
    'refuses $title, as promtool does: $stderr',
    ({ text }) => {
      expect(() => parseMetrics(text)).toThrow();
    },
  );
  it.each(
    checked.filter(({ title }) => /^a (gauge with labels|counter|ratio|quote in)|^celsius/.test(title)),
  )('takes $title, as promtool does', ({ text, exitCode }) => {
    if (exitCode === 0) expect(parseMetrics(text)).toHaveLength(1);
  });
});

const UNUSUAL = 'büro "1" \\ 2\n3';
/** One of each noun, with all that can be known of it. */
const services = {
  version: '1.2.3',
  feed: { ids: () => ['alert'] },
  proposals: { list: () => [{ state: 'waiting' }] },
  operations: { page: () => ({ items: [{ state: 'running' }] }) },
  pools: {
    list: () => [
      {
        ...{
          guid: 'g-1',
          label: UNUSUAL,
          plugin: 'btrfs',
          sizeBytes: 4e12,
          usedBytes: 1e12,
          availableBytes: 3e12,
        },
        ...{ mounted: true, state: 'ready', poolStatus: 'active', health: 'healthy' },
      },
      {
        ...{ guid: 'g-2', label: 'b', plugin: 'zfs', sizeBytes: null, usedBytes: null, availableBytes: null },
        ...{ mounted: false, state: 'error', poolStatus: null, health: 'unknown' },
      },
    ],
  },
  drives: {
    list: () => [
      {
        ...{ id: 'wwn-1', serial: UNUSUAL, model: null, sizeBytes: 8e12, present: true },
        health: { temperatureCelsius: 31, status: 'ok' },
      },
    ],
  },
  vms: {
    list: () => [{ id: 'v-1', name: 'web', state: 'running', cpus: 2, memoryBytes: 2 ** 31 }],
    usages: { latest: () => ({ 'v-1': { memoryBytes: 1e9, cpuPercent: 50 } }) },
  },
} as unknown as Services;

describe('what Prometheus is told', () => {
  const families = parseMetrics(metricsOf(services));
  const of = (name: string) => families.find((family) => family.name === name)?.samples;
  it('keeps its rules for names, units and types, with one of each noun', () => {
    expect(families.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        ...['cairn_pool_size_bytes', 'cairn_drive_temperature_celsius', 'cairn_vm_cpu_usage_ratio'],
        ...['cairn_operations', 'cairn_build_info', 'process_cpu_seconds_total'],
      ]),
    );
    for (const { name } of families) expect(name).toMatch(/^(cairn|process|nodejs)_/);
  });
  it('leaves out what is not known, and keeps labels as they are', () => {
    expect(of('cairn_pool_size_bytes')).toEqual([
      { labels: { guid: 'g-1', pool: UNUSUAL, plugin: 'btrfs' }, value: 4e12 },
    ]);
    expect(of('cairn_pool_mounted')?.map(({ value }) => value)).toEqual([1, 0]);
    expect(of('cairn_drive_size_bytes')?.[0]?.labels).toEqual({ drive: 'wwn-1', serial: UNUSUAL, model: '' });
  });
  it('tells of use in parts of one', () => {
    expect(of('cairn_vm_cpu_usage_ratio')?.[0]?.value).toBe(0.5);
  });
});

describe('rates', () => {
  const actor = (id: string): Actor => ({ kind: 'api-key', id, name: id, role: 'admin', sessionId: null });
  it('stop one key that asks too much, and leave the others alone', () => {
    let now = 0;
    const rates = createRates({ elapsed: () => now }, 60, 3);
    for (let i = 0; i < 3; i++) rates.take(actor('a'));
    expect(() => rates.take(actor('a'))).toThrow(/Try again in 1 s/);
    rates.take(actor('b'));
    now += 1_000;
    rates.take(actor('a'));
    expect(() => rates.take(actor('a'))).toThrow();
  });
  it('hold up neither Cairn itself nor root on the host', () => {
    const rates = createRates({ elapsed: () => 0 }, 60, 1);
    for (let i = 0; i < 5; i++) rates.take({ ...actor('cairn'), kind: 'system' });
    for (let i = 0; i < 5; i++) rates.take({ ...actor('root'), kind: 'local' });
  });
});
