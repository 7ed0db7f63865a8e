import { describe, expect, it } from 'vitest';
import { gridValues, paths, timeTicks, timeWord } from '$lib/ui/chart-shape';

describe('the shape of a chart', () => {
  it('has a few round lines that reach over the highest value', () => {
    expect(gridValues(0, 58)).toEqual([0, 20, 40, 60]);
    expect(gridValues(0, 100)).toEqual([0, 50, 100]);
    expect(gridValues(0, 3 * 1024 ** 3)).toEqual([0, 1, 2, 3].map((value) => value * 1024 ** 3));
    expect(gridValues(0, 2 * 1024 ** 3)).toEqual([0, 1, 2].map((value) => value * 1024 ** 3));
    expect(gridValues(0, 0).length).toBeGreaterThan(1);
    for (const highest of [1, 7, 999, 5e5, 4.2e11, 9e12]) {
      const grid = gridValues(0, highest);
      expect(grid.at(-1)).toBeGreaterThanOrEqual(highest);
      expect(grid.length).toBeLessThanOrEqual(5);
    }
  });

  it('leaves a gap where nothing was measured', () => {
    const points = [1, 2, null, 4].map((value, at) => ({ at, value }));
    const { line, area } = paths(
      points,
      (at) => at,
      (value) => value,
      9,
    );
    expect(line).toBe('M0.0 1.0L1.0 2.0M3.0 4.0');
    expect(area).toBe('M0.0 1.0L1.0 2.0L1.0 9L0.0 9Z');
  });

  it('names times as exactly as the span needs', () => {
    const at = Date.UTC(2026, 2, 5, 12);
    expect(timeTicks(0, 10, 3)).toEqual([{ at: 0 }, { at: 5 }, { at: 10 }]);
    expect(timeWord(at, 3_600_000)).toMatch(/^\d\d:\d\d$/);
    expect(timeWord(at, 7 * 86_400_000)).toBe('5 Mar');
    expect(timeWord(at, 400 * 86_400_000)).toBe('Mar 2026');
  });
});
