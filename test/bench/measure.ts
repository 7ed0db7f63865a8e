/** Figures from several runs: machines are noisy, so medians and the 95th percentile, never a single time. */
export interface Figure {
  median: number;
  p95: number;
  runs: number;
}
export function figure(values: number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), p95: at(0.95), runs: sorted.length };
}
export interface Row {
  what: string;
  measured: string;
  raw: string;
  target: string;
  reached: boolean;
}
export const milliseconds = ({ median, p95 }: Figure): string =>
  `${median.toFixed(0)} ms (p95 ${p95.toFixed(0)})`;

export function printRows(rows: Row[]): void {
  const columns: [keyof Row, string][] = [
    ['what', 'what'],
    ['measured', 'Cairn'],
    ['raw', 'raw, same run'],
    ['target', 'to reach'],
  ];
  const width = columns.map(([key, head]) =>
    Math.max(head.length, ...rows.map((row) => String(row[key]).length)),
  );
  const line = (cells: string[]): string =>
    cells.map((cell, index) => cell.padEnd(width[index] ?? 0)).join('  ');
  console.log(line(columns.map(([, head]) => head)));
  for (const row of rows)
    console.log(
      `${line(columns.map(([key]) => String(row[key])))}  ${row.reached ? '' : 'NOT REACHED'}`.trimEnd(),
    );
}
/** Wall clock with fractions, comparable with `performance.timeOrigin + performance.now()` in a page. */
export const wallClock = (): number => performance.timeOrigin + performance.now();
