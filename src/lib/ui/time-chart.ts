/** Where the points of a chart over time lie: pure. */

export interface ChartPoint {
  at: number;
  /** null: not known then; the line is broken. */
  value: number | null;
}
export interface ChartFrame {
  from: number;
  to: number;
  min: number;
  max: number;
}
/** 0 to 1 from left and top. */
export interface ChartPlace {
  x: number;
  y: number;
  point: { at: number; value: number };
}

/** Round numbers around the values, with room, so that a steady value is a calm line and not a mountain range. */
export function rangeOf(values: number[], step: number): { min: number; max: number } {
  if (values.length === 0) return { min: 0, max: step };
  const min = Math.floor(Math.min(...values) / step) * step;
  const max = Math.ceil(Math.max(...values) / step) * step;
  return max - min < step * 2 ? { min: Math.max(0, min - step), max: max + step } : { min, max };
}

const placeOf = (point: { at: number; value: number }, frame: ChartFrame): ChartPlace => ({
  x: (point.at - frame.from) / (frame.to - frame.from),
  y: 1 - (point.value - frame.min) / (frame.max - frame.min),
  point,
});

/** Unbroken lines: a new one after a point without a value, or after a pause longer than `gapMs`. */
export function linesOf(points: ChartPoint[], frame: ChartFrame, gapMs: number): ChartPlace[][] {
  const lines: ChartPlace[][] = [];
  let line: ChartPlace[] = [];
  for (const { at, value } of points) {
    if (at < frame.from || at > frame.to) continue;
    const last = line.at(-1);
    if (line.length > 0 && (value === null || (last && at - last.point.at > gapMs))) {
      lines.push(line);
      line = [];
    }
    if (value !== null) line.push(placeOf({ at, value }, frame));
  }
  if (line.length > 0) lines.push(line);
  return lines;
}

/** The point nearest to a place from left; null when there is none. */
export function nearest(lines: ChartPlace[][], x: number): ChartPlace | null {
  let found: ChartPlace | null = null;
  for (const place of lines.flat())
    if (!found || Math.abs(place.x - x) < Math.abs(found.x - x)) found = place;
  return found;
}
