import { expect, test } from 'vitest';
import { linesOf, nearest, rangeOf } from '../../../src/lib/ui/time-chart';

const frame = { from: 0, to: 100, min: 0, max: 10 };

test('a steady value is a line in the middle, not a mountain range', () => {
  expect(rangeOf([31, 31, 32], 5)).toEqual({ min: 25, max: 40 });
  expect(rangeOf([28, 44], 5)).toEqual({ min: 25, max: 45 });
  expect(rangeOf([], 5)).toEqual({ min: 0, max: 5 });
});

test('a line is broken where nothing was known, and where nothing was recorded for long', () => {
  const points = [0, 10, 20, 60, 70, 80].map((at) => ({ at, value: at === 70 ? null : 5 }));
  expect(linesOf(points, frame, 15).map((line) => line.map(({ point }) => point.at))).toEqual([
    [0, 10, 20],
    [60],
    [80],
  ]);
});

test('the nearest point is told, and none when there is none', () => {
  const lines = linesOf(
    [
      { at: 10, value: 1 },
      { at: 90, value: 2 },
    ],
    frame,
    1_000,
  );
  expect(nearest(lines, 0.7)?.point).toEqual({ at: 90, value: 2 });
  expect(nearest([], 0.5)).toBeNull();
});
