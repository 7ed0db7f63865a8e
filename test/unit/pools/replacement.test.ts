import { describe, expect, it, test } from 'vitest';
import { marginOf } from '$lib/server/pools/replacement-drives';
import { replacementDocument, type ReplacementFacts } from '$lib/server/pools/replacement-document';
import type { ReplacementRow } from '$lib/server/pools/replacement-store';
import type { Drive } from '$lib/shared/wire/drives';
import type { Operation } from '$lib/shared/wire/operations';
import type { Pool, PoolMember } from '$lib/shared/wire/pools';

const pool = (guid: string, ids: string[], statuses: PoolMember['status'][] = []): Pool =>
  ({
    ...{ guid, label: guid, plugin: 'mdraid', layout: 'raid6' },
    members: ids.map((driveId, slot) => ({
      ...{ slot, driveId, role: 'data', replacementBytes: 100, status: statuses[slot] ?? 'active' },
    })),
  }) as unknown as Pool;
const drive = (id: string, change: Partial<Drive> = {}): Drive =>
  ({
    ...{
      id,
      serial: id.toUpperCase(),
      bayLabel: null,
      kernelName: id,
      present: true,
      pool: null,
      group: 'free',
    },
    ...{
      sizeBytes: 100,
      issues: [],
      probed: true,
      identity: 'strong',
      signatures: [],
      partitions: [],
      protection: 'none',
    },
    health: { status: 'passed', counters: {}, powerOnHours: 10, text: null },
    ...change,
  }) as unknown as Drive;
const inPool = (id: string, guid: string, present = true): Drive =>
  drive(id, { present, pool: { guid, label: guid }, group: 'in-pool' });
const row = (change: Partial<ReplacementRow> = {}): ReplacementRow => ({
  ...{ poolGuid: 'p', slot: 1, driveId: 'b', way: 'swap', here: ['a', 'b', 'c', 'd'], pulledAt: null },
  ...{ freshId: null, operationId: null, startedBy: 'admin', startedAt: 1 },
  ...change,
});
const facts = (change: Partial<ReplacementFacts> = {}, tolerance = 1): ReplacementFacts => {
  const main = change.pool ?? pool('p', ['a', 'b', 'c']);
  return {
    row: row(),
    pool: main,
    drives: [inPool('a', 'p'), inPool('b', 'p'), inPool('c', 'p'), drive('d')],
    operation: null,
    toleranceOf: (guid) => (guid === 'p' ? { pool: main, tolerance } : null),
    ...change,
  };
};
const operation = (state: Operation['state']): Operation =>
  ({
    state,
    error: { code: 'command_failed', message: 'mdadm ended with exit code 1.', remedy: null },
  }) as Operation;

describe('the step follows from the machine', () => {
  const gone = [inPool('a', 'p'), inPool('b', 'p', false), inPool('c', 'p'), drive('d')];
  const replaced = pool('p', ['a', 'd', 'c']);
  const members = [inPool('a', 'p'), inPool('c', 'p'), inPool('d', 'p')];
  test.each<[string, Partial<ReplacementFacts>, string]>([
    ['the old drive is there and has to come out first', {}, 'pull'],
    ['the old drive stays in', { row: row({ way: 'beside' }) }, 'insert'],
    ['the old drive is out', { drives: gone }, 'insert'],
    ['a new drive is chosen', { row: row({ freshId: 'd' }) }, 'plan'],
    ['the chosen drive was pulled again', { row: row({ freshId: 'x' }), drives: gone }, 'insert'],
    ['the rebuild is at work', { row: row({ freshId: 'd' }), operation: operation('running') }, 'rebuild'],
    [
      'the rebuild needs somebody',
      { row: row({ freshId: 'd' }), operation: operation('needs-attention') },
      'rebuild',
    ],
    ['the rebuild failed', { row: row({ freshId: 'd' }), operation: operation('failed') }, 'plan'],
    ['the new drive has the place', { row: row({ freshId: 'd' }), pool: replaced, drives: members }, 'done'],
    [
      'the new drive has the place, and the old one is still in',
      { row: row({ freshId: 'd', way: 'beside' }), pool: replaced, drives: [...members, drive('b')] },
      'take-out',
    ],
  ])('when %s', (_when, change, step) => {
    expect(replacementDocument(facts(change)).step).toBe(step);
  });
  it('says why the last try failed', () => {
    const found = replacementDocument(facts({ row: row({ freshId: 'd' }), operation: operation('failed') }));
    expect(found.failed).toBe('mdadm ended with exit code 1.');
  });
});

describe('a wrong pull is told with what it means', () => {
  const without = (id: string): Drive[] =>
    facts().drives.map((one) => (one.id === id ? { ...one, present: false } : one));
  test.each<[string, number, string, RegExp]>([
    ['a', 2, 'warning', /survives the loss of 1 more drive\./],
    ['a', 1, 'critical', /loses data with the next drive/],
    ['a', 0, 'critical', /cannot work without it/],
    ['d', 1, 'info', /nothing is lost/],
  ])('%s of a pool that may lose %i', (id, tolerance, severity, text) => {
    const found = replacementDocument(facts({ drives: without(id) }, tolerance));
    expect(found.wrong).toMatchObject([{ driveId: id, severity, text: expect.stringMatching(text) }]);
  });
  it('says nothing of the drive that was meant', () => {
    expect(replacementDocument(facts({ drives: without('b') })).wrong).toEqual([]);
  });
  it('counts members with errors and those that are being rebuilt as lost', () => {
    const found = pool('p', ['a', 'b', 'c'], ['active', 'faulty', 'rebuilding']);
    expect(marginOf(found, 2, () => true)).toBe(0);
    expect(marginOf(found, 2, (id) => id !== 'a')).toBe(-1);
    expect(marginOf(found, 2, () => true, 'b')).toBe(0);
  });
});

describe('the way', () => {
  it('lets a drive come out first only when its pool can do without it', () => {
    expect(replacementDocument(facts({}, 1)).whyNotSwap).toBeNull();
    expect(replacementDocument(facts({}, 0)).whyNotSwap).toContain('has to stay in');
    const hurt = pool('p', ['a', 'b', 'c'], ['missing']);
    expect(replacementDocument(facts({ pool: hurt }, 1)).whyNotSwap).toContain('has to stay in');
  });
});

describe('a new drive', () => {
  const newcomer = (change: Partial<Drive>) =>
    replacementDocument(facts({ drives: [...facts().drives, drive('n', change)] })).newcomers[0];
  it('is shown before those that were there, with what was found about it', () => {
    expect(newcomer({})).toMatchObject({
      ...{ driveId: 'n', isNew: true, why: null },
      findings: [{ tone: 'good' }, { tone: 'good' }, { tone: 'good', text: 'Nothing is on it.' }],
    });
  });
  it('is not called new when it was there before, and is of no use without a serial of its own', () => {
    const drives = [...facts().drives, drive('n', { serial: null, identity: 'weak' })];
    const here = ['a', 'b', 'c', 'd', 'n'];
    const found = replacementDocument(facts({ drives, row: row({ here }) })).newcomers;
    expect(found.find(({ driveId }) => driveId === 'n')).toMatchObject({ isNew: false });
    expect(newcomer({ serial: null, identity: 'weak' })?.why).toContain('no serial number');
  });
  it('is refused when it is too small, failing, or was set aside', () => {
    expect(newcomer({ sizeBytes: 99 })?.why).toContain('Too small');
    const failing = {
      status: 'failing',
      text: 'It is about to fail.',
      counters: {},
    } as unknown as Drive['health'];
    expect(newcomer({ health: failing })?.why).toContain('about to fail');
    const aside = [
      { code: 'drive_set_aside', message: 'N was set aside.', remedy: null },
    ] as unknown as Drive['issues'];
    expect(newcomer({ issues: aside })?.why).toBe('N was set aside.');
  });
  it('is named with what would be erased', () => {
    const signatures: Drive['signatures'] = [
      { type: 'ext4', usage: 'filesystem', uuid: null, label: 'photos' },
    ];
    expect(newcomer({ signatures })?.findings).toContainEqual({
      tone: 'warn',
      text: 'Is erased: ext4 "photos".',
    });
  });
});
