import { expect, it } from 'vitest';
import { evidenceOf } from '$lib/features/replace/evidence';
import type { Alert } from '$lib/shared/wire/alerts';
import type { Drive } from '$lib/shared/wire/drives';
import type { Pool } from '$lib/shared/wire/pools';

const drive = (id: string, health: object, present = true): [string, Drive] => [
  id,
  {
    ...{ id, present },
    health: {
      status: 'passed',
      counters: {},
      selfTest: { log: [] },
      powerOnHours: 10,
      text: null,
      ...health,
    },
  } as unknown as Drive,
];
const pool = (statuses: string[]): Pool =>
  ({
    members: statuses.map((status, slot) => ({ slot, driveId: `d${slot}`, status, detail: null })),
  }) as unknown as Pool;

it('puts the drive that most speaks against first, and says why', () => {
  const drives = new Map([
    drive('d0', { counters: { crc: 3 } }),
    drive('d1', { status: 'failing', counters: { pending: 8 } }),
    drive('d2', {}, false),
  ]);
  const found = evidenceOf(pool(['active', 'active', 'missing']), drives, []);
  expect(found.map(({ member, weight }) => [member.slot, weight])).toEqual([
    [1, 20],
    [2, 10],
    [0, 3],
  ]);
  expect(found[0]?.lines.map(({ text }) => text)).toEqual([
    'It says itself that it is about to fail.',
    'Unreadable sectors: 8',
  ]);
  expect(found[1]?.lines[0]?.text).toContain('not plugged in');
});

it('does not say twice what an alert has said', () => {
  const alert = {
    ...{ kind: 'drive.unreadable-sectors', severity: 'warning', subject: { id: 'd0' } },
    text: '8 sectors wait to be replaced.',
  } as unknown as Alert;
  const found = evidenceOf(pool(['active']), new Map([drive('d0', { counters: { pending: 8 } })]), [alert]);
  expect(found[0]?.lines.map(({ text }) => text)).toEqual(['8 sectors wait to be replaced.']);
});

it('says nothing about drives that are well', () => {
  const found = evidenceOf(pool(['active', 'active']), new Map([drive('d0', {}), drive('d1', {})]), []);
  expect(found.map(({ weight, lines }) => [weight, lines])).toEqual([
    [0, []],
    [0, []],
  ]);
});
