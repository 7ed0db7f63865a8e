import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import makePlugin from '$plugins/btrfs/plugin.server';
import { poolDocument, type DocumentFacts } from '$lib/server/pools/document';
import { restPool } from '$lib/server/pools/rest-shape';
import { specOf } from '$lib/server/pools/spec';
import { verbsOf, type VerbFacts } from '$lib/server/pools/verbs';
import type { KernelWork, PoolReading } from '$lib/plugin-api/storage';
import type { Operation } from '$lib/shared/wire/operations';

const plugin = makePlugin(sdk);
const reading: PoolReading = {
  poolStatus: 'active',
  health: 'healthy',
  healthText: null,
  mounted: true,
  sizeBytes: 1_000,
  usedBytes: 48,
  availableBytes: 952,
  // Not in the order of the slots: members are matched by drive, never by place.
  members: [
    { driveId: 'b', status: 'faulty', detail: '3 write io errors' },
    { driveId: 'a', status: 'active', detail: null },
  ],
};
const row = (slot: number, driveId: string) => ({
  ...{
    poolGuid: 'g',
    slot,
    driveId,
    serial: `S-${driveId}`,
    label: `bay ${slot}`,
    sizeBytes: 500,
    role: 'data' as const,
  },
});
const facts = (change: Partial<DocumentFacts> = {}): DocumentFacts => ({
  record: {
    ...{ guid: 'g', label: 'tank', labelKey: 'tank', plugin: 'btrfs', layout: 'raid1', options: {} },
    ...{ mountPath: '/mnt/tank', mountPathExisted: false, state: 'ready', wantMounted: true },
    ...{ errorMessage: null, createdAt: 1, updatedAt: 1, facts: null },
    drives: [row(0, 'a'), row(1, 'b')],
  },
  last: { reading, error: null, readAt: 5, drives: [row(0, 'a'), row(1, 'b')] },
  operation: null,
  plugin,
  unavailable: null,
  isPresent: () => true,
  ...change,
});
const operation = (change: Partial<Operation>): Operation =>
  ({
    ...{ id: 'o', seq: 1, kind: 'pool.create', title: 'Create pool "tank"', state: 'failed', percent: 40 },
    ...{
      error: { code: 'command_failed', message: 'mkfs ended with exit code 1.', remedy: null },
      canCancel: false,
    },
    ...change,
  }) as Operation;

describe('the document of a pool', () => {
  it('joins each member with what the machine says about its drive', () => {
    expect(poolDocument(facts()).members).toMatchObject([
      { slot: 0, driveId: 'a', status: 'active' },
      { slot: 1, driveId: 'b', status: 'faulty', detail: '3 write io errors' },
    ]);
  });
  it('shows a pool that cannot be read with the reason, and its missing drive', () => {
    const pool = poolDocument(
      facts({
        last: { reading: null, error: 'btrfs said something odd.', readAt: 5, drives: [] },
        isPresent: (id) => id === 'a',
      }),
    );
    expect(pool).toMatchObject({
      poolStatus: null,
      health: 'unknown',
      healthText: 'btrfs said something odd.',
      mounted: false,
      members: [{ status: 'unknown' }, { status: 'missing' }],
    });
  });
  it('never shows a member of which nothing was read yet: a drive that has just joined comes with its status', () => {
    const before = facts();
    const record = { ...before.record, drives: [row(0, 'a'), row(1, 'fresh')] };
    expect(poolDocument({ ...before, record }).members).toMatchObject([
      { driveId: 'a', status: 'active' },
      { driveId: 'b', status: 'faulty' },
    ]);
    const members = [
      { driveId: 'a', status: 'active' as const, detail: null },
      { driveId: 'fresh', status: 'rebuilding' as const, detail: null },
    ];
    const last = { ...{ error: null, readAt: 6 }, reading: { ...reading, members }, drives: record.drives };
    expect(poolDocument({ ...before, record, last }).members).toMatchObject([
      { driveId: 'a', status: 'active' },
      { driveId: 'fresh', status: 'rebuilding' },
    ]);
  });
  it('shows a drive that has left as missing at once, whatever was read before', () => {
    expect(poolDocument(facts({ isPresent: (id) => id === 'b' })).members).toMatchObject([
      { driveId: 'a', status: 'missing', detail: null },
      { driveId: 'b', status: 'faulty' },
    ]);
  });
  it('is degraded as soon as a drive has left, before its tools have answered, and says which', () => {
    const left = (change: Partial<DocumentFacts> = {}) =>
      poolDocument(facts({ isPresent: (id) => id === 'b', ...change }));
    expect(left()).toMatchObject({ poolStatus: 'degraded', health: 'critical' });
    expect(left().healthText).toMatch(/^Drive S-a is not there\./);
    const { record, last } = facts();
    const alone = { ...record, layout: 'single', drives: [row(0, 'a')] };
    const single = { ...last!, drives: alone.drives };
    expect(left({ record: alone, last: single })).toMatchObject({ poolStatus: 'failed', health: 'critical' });
    // More than any two drives: its tools tell whether it still works. And what they have told stands.
    expect(left({ isPresent: () => false }).poolStatus).toBe('active');
    const members = [
      { driveId: 'a', status: 'missing' as const, detail: null },
      ...reading.members.slice(0, 1),
    ];
    const told = { ...reading, members, poolStatus: 'resync' as const, healthText: 'It is mended.' };
    expect(left({ last: { ...last!, reading: told } })).toMatchObject({
      poolStatus: 'resync',
      healthText: 'It is mended.',
    });
    // Nothing is known of one that is not mounted.
    expect(left({ last: { ...last!, reading: { ...reading, mounted: false } } }).poolStatus).toBe('active');
  });
  it('is shown without its plugin too', () => {
    const pool = poolDocument(facts({ plugin: null, unavailable: 'Its plugin "btrfs" is not installed.' }));
    expect(pool).toMatchObject({ pluginName: 'btrfs', layoutTitle: 'raid1' });
    expect(pool.verbs.mount).toEqual({ allowed: false, why: 'Its plugin "btrfs" is not installed.' });
  });
});

describe('verbs', () => {
  const base: VerbFacts = {
    ...{
      state: 'ready',
      mounted: true,
      operation: null,
      plugin,
      unavailable: null,
      missing: [],
      tolerance: 1,
    },
    reading,
    spec: specOf(facts().record, () => ({ contentHash: 'x', partitions: [], present: true })),
  };
  const away = { mounted: false, reading: { ...reading, mounted: false } };
  const scrub: KernelWork = {
    ...{ kind: 'scrub', title: 'Scrubbing', percent: 4, bytesPerSecond: 9, secondsLeft: 9, paused: false },
  };
  const allowedOf = (change: Partial<VerbFacts>): string[] =>
    Object.entries(verbsOf({ ...base, ...change }))
      .filter(([, verb]) => verb.allowed)
      .map(([name]) => name);

  it.each<[string, Partial<VerbFacts>, string[]]>([
    [
      'mounted',
      {},
      [
        ...['unmount', 'rename', 'remove', 'release', 'expand', 'replace', 'start-scrub', 'start-balance'],
        'clear-errors',
      ],
    ],
    [
      'being scrubbed',
      { reading: { ...reading, work: [scrub] } },
      [
        ...['unmount', 'rename', 'remove', 'release', 'expand', 'replace', 'stop-scrub', 'start-balance'],
        'clear-errors',
      ],
    ],
    ['unmounted', { ...away, state: 'unmounted' }, ['mount', 'remove', 'release']],
    ['degraded', { ...away, missing: ['S1'] }, ['mount', 'remove', 'release']],
    ['beyond repair', { ...away, missing: ['S1', 'S2'] }, ['remove', 'release']],
    ['busy', { operation: { title: 'x', percent: 5, state: 'running', canCancel: true } }, []],
    [
      'being created',
      { state: 'creating', operation: { title: 'x', percent: 5, state: 'running', canCancel: true } },
      ['remove'],
    ],
    ['without its plugin', { plugin: null, unavailable: 'gone' }, []],
  ])('of a pool that is %s', (_title, change, wanted) => expect(allowedOf(change)).toEqual(wanted));

  it('say why not', () => {
    for (const verb of Object.values(verbsOf({ ...base, mounted: false, missing: ['S1', 'S2'] })))
      expect(verb.allowed || (verb.why ?? '').length > 10).toBe(true);
  });
});

describe('the REST answer', () => {
  it('is short while creating', () => {
    const record = { ...facts().record, state: 'creating' as const };
    expect(restPool(poolDocument(facts({ record, last: null })))).toEqual({
      state: 'creating',
      poolStatus: null,
      drives: [],
    });
  });
  it('has sizes in bytes and drives with serial, label and status when ready', () => {
    expect(restPool(poolDocument(facts()))).toEqual({
      state: 'ready',
      poolStatus: 'active',
      size: 1_000,
      used: 48,
      available: 952,
      usePercent: '5%',
      mountPath: '/mnt/tank',
      drives: [
        { serial: 'S-a', label: 'bay 0', status: 'active' },
        { serial: 'S-b', label: 'bay 1', status: 'faulty' },
      ],
    });
  });
  it('tells why a creation failed, and that a pool was removed', () => {
    expect(restPool(operation({}))).toEqual({
      state: 'failed',
      errorMessage: 'mkfs ended with exit code 1.',
    });
    expect(restPool(operation({ kind: 'pool.remove', state: 'succeeded', error: null }))).toEqual({
      state: 'deleted',
    });
  });
});
