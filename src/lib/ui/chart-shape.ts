/** Lines, grid and ticks of a chart. Pure. */
interface Point {
  at: number;
  value: number | null;
}

const BINARY = 1024;
/** 1, 2, 2.5 or 5 times a power of ten; for large numbers (bytes) of a power of 1024, so that the words are round. */
function roundStep(rough: number): number {
  const unit = rough >= BINARY ** 2 ? BINARY ** Math.floor(Math.log(rough) / Math.log(BINARY)) : 1;
  const scaled = rough / unit;
  const power = 10 ** Math.floor(Math.log10(scaled));
  const factor = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= scaled) ?? 10;
  const round = factor * power;
  // 1000 MiB is no round word: the next one is 1 GiB.
  return (unit > 1 && round >= 1000 ? BINARY : round) * unit;
}

/** Three or four lines, the last at or above `highest`. */
export function gridValues(bottom: number, highest: number): number[] {
  const span = highest > bottom ? highest - bottom : 1;
  const step = roundStep(span / 3);
  const count = Math.max(1, Math.ceil(span / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => bottom + index * step);
}

/** Path data of the line and of the area below it; a gap where nothing was measured. */
export function paths(
  points: Point[],
  x: (at: number) => number,
  y: (value: number) => number,
  floor: number,
): { line: string; area: string } {
  const runs: { x: number; y: number }[][] = [[]];
  for (const { at, value } of points)
    if (value === null) runs.push([]);
    else runs.at(-1)?.push({ x: x(at), y: y(value) });
  const word = ({ x: left, y: top }: { x: number; y: number }): string =>
    `${left.toFixed(1)} ${top.toFixed(1)}`;
  const lines = runs.filter((run) => run.length > 0).map((run) => `M${run.map(word).join('L')}`);
  const areas = runs
    .filter((run) => run.length > 1)
    .map(
      (run) =>
        `M${run.map(word).join('L')}L${run.at(-1)?.x.toFixed(1)} ${floor}L${run[0]?.x.toFixed(1)} ${floor}Z`,
    );
  return { line: lines.join(''), area: areas.join('') };
}

export const timeTicks = (from: number, to: number, count: number): { at: number }[] =>
  Array.from({ length: count }, (_, index) => ({
    at: from + ((to - from) * index) / Math.max(1, count - 1),
  }));

const DAY_MS = 86_400_000;
const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const month = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' });

/** As exact as the span needs. */
export function timeWord(at: number, spanMs: number): string {
  if (spanMs <= 2 * DAY_MS) return hour.format(at);
  return (spanMs <= 200 * DAY_MS ? day : month).format(at);
}
