import { describe, expect, it } from 'vitest';
import { drawn, forgotten } from '$lib/server/pools/thinning';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1_000 * DAY + 5 * HOUR;

describe('samples of used space', () => {
  it('stay all for a month, the last of each day for three years, and no longer', () => {
    const times = [
      ...[NOW - 1_200 * DAY, NOW - 1_099 * DAY],
      ...[500 * DAY + HOUR, 500 * DAY + 2 * HOUR, 500 * DAY + 3 * HOUR, 501 * DAY],
      ...[NOW - 29 * DAY, NOW - 29 * DAY + HOUR, NOW],
    ];
    expect(forgotten(times, NOW)).toEqual([
      NOW - 1_200 * DAY,
      NOW - 1_099 * DAY,
      500 * DAY + HOUR,
      500 * DAY + 2 * HOUR,
    ]);
  });

  it('that are already thin are not made thinner', () => {
    const daily = Array.from({ length: 400 }, (_, index) => NOW - (450 - index) * DAY);
    expect(forgotten(daily, NOW)).toEqual([]);
  });

  it('are drawn with at most the points that were asked for, the newest always among them', () => {
    const samples = Array.from({ length: 5_000 }, (_, index) => ({
      at: index * HOUR,
      sizeBytes: 1,
      usedBytes: index,
    }));
    const points = drawn(samples, 400);
    expect(points.length).toBeLessThanOrEqual(400);
    expect(points.length).toBeGreaterThan(350);
    expect(points.at(-1)).toEqual(samples.at(-1));
    expect(drawn(samples.slice(0, 3), 400)).toHaveLength(3);
  });
});
