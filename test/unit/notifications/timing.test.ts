import { describe, expect, it } from 'vitest';
import { heldUntil, quietUntil, retryInMs } from '$lib/server/notifications/timing';

const at = (day: number, hour: number, minute = 0): number => new Date(2026, 2, day, hour, minute).getTime();
const overnight = { from: '22:00', until: '07:00' };
const midday = { from: '12:30', until: '14:00' };

describe('quiet hours', () => {
  it.each([
    [at(10, 21, 59), null],
    [at(10, 22), at(11, 7)],
    [at(11, 0), at(11, 7)],
    [at(11, 6, 59), at(11, 7)],
    [at(11, 7), null],
  ])('go over midnight', (now, end) => expect(quietUntil(overnight, now)).toBe(end));

  it.each([
    [at(10, 12, 29), null],
    [at(10, 12, 30), at(10, 14)],
    [at(10, 14), null],
    [at(10, 23), null],
  ])('lie within a day', (now, end) => expect(quietUntil(midday, now)).toBe(end));
});

describe('a message', () => {
  const times = { quietHours: overnight, digestAt: null, criticalAtOnce: true };
  it('waits for the end of quiet hours, unless it is critical and that passes', () => {
    expect(heldUntil(times, 'warning', at(10, 23))).toBe(at(11, 7));
    expect(heldUntil(times, 'critical', at(10, 23))).toBeNull();
    expect(heldUntil({ ...times, criticalAtOnce: false }, 'critical', at(10, 23))).toBe(at(11, 7));
    expect(heldUntil(times, 'warning', at(10, 12))).toBeNull();
  });
  it('waits for the next digest, which waits for the end of quiet hours', () => {
    expect(heldUntil({ ...times, digestAt: '18:00' }, 'warning', at(10, 12))).toBe(at(10, 18));
    expect(heldUntil({ ...times, digestAt: '18:00' }, 'warning', at(10, 18))).toBe(at(11, 18));
    expect(heldUntil({ ...times, digestAt: '06:00' }, 'warning', at(10, 12))).toBe(at(11, 7));
  });
});

describe('the pause before the next attempt', () => {
  it('grows up to an hour, and is at least what was asked for, but no longer than that', () => {
    expect([1, 2, 3, 6, 7, 100].map((attempts) => retryInMs(attempts, null) / 1_000)).toEqual([
      30, 60, 120, 1_800, 3_600, 3_600,
    ]);
    expect(retryInMs(1, 90_000)).toBe(90_000);
    expect(retryInMs(1, 9e9)).toBe(3_600_000);
  });
});
