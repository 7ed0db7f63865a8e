import { describe, expect, it } from 'vitest';
import {
  cronOf,
  isDue,
  lastDue,
  nextRuns,
  previewSchedule,
  textOf,
  tooMany,
} from '$lib/server/snapshots/timing';
import { autoName, keptName, manualName, readName, snapshotNameIssues } from '$lib/shared/snapshot-names';

const timing = { minute: 15, hour: 3, weekday: 1, day: 28 };
/** Local time of the machine, as a schedule means it. */
const at = (text: string): number => new Date(text).getTime();
const texts = (times: number[]): string[] =>
  times.map((time) => {
    const date = new Date(time);
    const two = (value: number): string => String(value).padStart(2, '0');
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
  });

describe('a schedule', () => {
  it('is told in plain words, and as cron writes it', () => {
    expect(textOf('hourly', timing)).toBe('Every hour at 15 minutes past');
    expect(textOf('daily', timing)).toBe('Every day at 03:15');
    expect(textOf('weekly', timing)).toBe('Every Monday at 03:15');
    expect(textOf('monthly', timing)).toBe('On day 28 of every month at 03:15');
    expect(['hourly', 'daily', 'weekly', 'monthly'].map((tier) => cronOf(tier as 'hourly', timing))).toEqual([
      ...['15 * * * *', '15 3 * * *', '15 3 * * 1', '15 3 28 * *'],
    ]);
  });

  it('runs next when its words say, across the ends of days, months and years', () => {
    const now = at('2026-12-31T23:30:00');
    expect(texts(nextRuns('hourly', timing, now, 2))).toEqual(['2027-01-01 00:15', '2027-01-01 01:15']);
    expect(texts(nextRuns('daily', timing, now, 2))).toEqual(['2027-01-01 03:15', '2027-01-02 03:15']);
    expect(texts(nextRuns('weekly', timing, now, 2))).toEqual(['2027-01-04 03:15', '2027-01-11 03:15']);
    expect(texts(nextRuns('monthly', timing, now, 2))).toEqual(['2027-01-28 03:15', '2027-02-28 03:15']);
  });

  it('is never due before its time, and due from its minute on', () => {
    for (const tier of ['hourly', 'daily', 'weekly', 'monthly'] as const) {
      const [next = 0] = nextRuns(tier, timing, at('2026-11-21T17:00:00'), 1);
      expect(lastDue(tier, timing, next)).toBe(next);
      expect(lastDue(tier, timing, next - 1)).toBeLessThan(next);
      expect(isDue(tier, timing, at('2026-11-21T17:00:00'), next - 1)).toBe(false);
      expect(isDue(tier, timing, at('2026-11-21T17:00:00'), next)).toBe(true);
      expect(isDue(tier, timing, next, next + 1)).toBe(false);
    }
  });

  it('that ran by a clock that was ahead runs again by the one that is right', () => {
    expect(isDue('daily', timing, at('2030-01-01T00:00:00'), at('2026-11-21T17:00:00'))).toBe(true);
  });

  it('shows its next three runs and what it keeps', () => {
    const preview = previewSchedule({ tier: 'daily', timing, keep: 7 }, at('2026-11-21T17:00:00'));
    expect(preview.nextRunsAt).toHaveLength(3);
    expect(preview.keeps).toContain('newest 7');
    expect(preview.keeps).toContain('7 days');
    expect(preview.keeps).toContain('by hand');
  });
});

describe('a clean-up', () => {
  const day = 86_400_000;
  const begin = at('2026-11-01T03:00:00');
  const daily = [0, 1, 2, 3, 4].map((count) => autoName('daily', begin + count * day));

  const now = begin + 30 * day;
  const all = (): boolean => true;

  it('takes the oldest of its own kind that are too many, in whatever order they are listed', () => {
    expect(tooMany([...daily].reverse(), { tier: 'daily', keep: 3, now }, all)).toEqual(daily.slice(0, 2));
    expect(tooMany(daily, { tier: 'daily', keep: 5, now }, all)).toEqual([]);
  });

  it('never takes what a person took, what a roll back kept, another kind, or what only looks alike', () => {
    const others = [
      'before-upgrade',
      manualName(begin),
      keptName(begin),
      autoName('hourly', begin),
      `${keptName(begin)}/${autoName('daily', begin)}`,
      'auto-daily-20261101',
      'auto-daily-20261101-030000-copy',
      'my-auto-daily-20261101-030000',
    ];
    expect(tooMany([...others, ...daily], { tier: 'daily', keep: 1, now }, all)).toEqual(daily.slice(0, 4));
  });

  it('keeps the newest whatever number it is given, and what no record calls the schedule’s', () => {
    expect(tooMany(daily, { tier: 'daily', keep: 0, now }, all)).toEqual(daily.slice(0, 4));
    const ours = (name: string): boolean => name !== daily[0];
    expect(tooMany(daily, { tier: 'daily', keep: 1, now }, ours)).toEqual(daily.slice(1, 4));
    expect(tooMany(daily, { tier: 'daily', keep: 1, now }, () => false)).toEqual([]);
  });

  it('does not let one that a wrong clock dated into the future push out those of now', () => {
    const future = autoName('daily', begin + 4_000 * day);
    expect(tooMany([...daily, future], { tier: 'daily', keep: 2, now }, all)).toEqual(daily.slice(0, 3));
  });
});

describe('a name', () => {
  it('tells when Cairn made it and why', () => {
    const time = Date.UTC(2026, 10, 21, 17, 4, 5);
    expect(autoName('hourly', time)).toBe('auto-hourly-20261121-170405');
    expect(readName(autoName('weekly', time))).toEqual({ origin: 'schedule', tier: 'weekly', at: time });
    expect(readName(keptName(time))).toEqual({ origin: 'roll-back', tier: null, at: time });
    expect(readName('mine')).toEqual({ origin: null, tier: null, at: null });
  });

  it.each([
    '',
    '-a',
    '.hidden',
    'a/b',
    'a b',
    'ä',
    'a_b',
    'a\n',
    'auto-daily-x',
    'before-roll-back-x',
    'x'.repeat(49),
  ])('of a person is refused when it is %j', (name) => {
    expect(snapshotNameIssues(name)).toMatchObject([{ code: 'snapshot_name_invalid' }]);
  });
  it('of a person may have letters, digits, dots and dashes', () => {
    expect(snapshotNameIssues('Before-2.0-upgrade')).toEqual([]);
  });
});
