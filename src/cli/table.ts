/** Lists for people: as wide as the terminal, in the order that people count. Into a pipe: nothing is cut. */
import { naturally } from '$lib/shared/natural-order';
import { stripVTControlCharacters, styleText } from 'node:util';

type Tone = 'green' | 'yellow' | 'red' | 'gray' | 'bold';
const TONES: Record<string, Tone> = {
  ...Object.fromEntries(
    ['healthy', 'active', 'ready', 'running', 'succeeded', 'passed', 'ok', 'live'].map((word) => [
      word,
      'green',
    ]),
  ),
  ...Object.fromEntries(
    ['warning', 'degraded', 'resync', 'undoing', 'needs-attention', 'paused', 'missing', 'unmounted'].map(
      (word) => [word, 'yellow'],
    ),
  ),
  ...Object.fromEntries(
    ['critical', 'failed', 'error', 'crashed', 'failing', 'faulty', 'failed-to-start', 'broken'].map(
      (word) => [word, 'red'],
    ),
  ),
};

/** Decides by itself: colour only on a terminal, and never with NO_COLOR. */
export const styled = (tone: Tone, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText(tone, text, { stream, validateStream: true });
/** A word of state in its colour. */
export const toned = (word: string): string => {
  const tone = TONES[word];
  return tone ? styled(tone, word) : word;
};

/** What comes from drives, guests and programs moves no cursor of ours. */
export const printable = (text: string): string =>
  stripVTControlCharacters(text).replace(/[\p{Cc}\u2028\u2029]/gu, ' ');

export interface Column<T> {
  title: string;
  of: (row: T) => string | null;
  right?: boolean;
  /** Cut when the terminal is too narrow; the others never are. */
  shrinks?: boolean;
  /** A word of state, in its colour. */
  state?: boolean;
}
const GAP = 2;
const LEAST = 8;

/** `disk-2` before `disk-10`. */
export const inNaturalOrder = <T>(rows: readonly T[], by: (row: T) => string): T[] =>
  [...rows].sort((a, b) => naturally(by(a), by(b)));

/** How wide each column is, so that all fit if they can. */
function widthsOf<T>(columns: Column<T>[], cells: string[][], width: number): number[] {
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((row) => [...(row[at] ?? '')].length)),
  );
  let over = widths.reduce((sum, each) => sum + each + GAP, -GAP) - width;
  const shrinking = columns.flatMap((column, at) => (column.shrinks ? [at] : []));
  while (over > 0) {
    const widest = shrinking.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest === undefined || (widths[widest] ?? 0) <= LEAST) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over -= 1;
  }
  return widths;
}

/** @param width columns of the terminal; Infinity cuts nothing */
export function table<T>(columns: Column<T>[], rows: readonly T[], width: number): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.of(row) ?? '–')));
  const widths = widthsOf(columns, cells, width);
  const line = (row: string[], paint: (text: string, column: Column<T>) => string): string =>
    columns
      .map((column, at) => {
        const full = [...(row[at] ?? '')];
        const size = widths[at] ?? 0;
        const text = full.length > size ? `${full.slice(0, size - 1).join('')}…` : full.join('');
        const space = ' '.repeat(Math.max(0, size - [...text].length));
        const last = at === columns.length - 1;
        return column.right ? space + paint(text, column) : paint(text, column) + (last ? '' : space);
      })
      .join(' '.repeat(GAP));
  return [
    line(
      columns.map(({ title }) => title),
      (text) => styled('gray', text),
    ),
    ...cells.map((row) => line(row, (text, column) => (column.state ? toned(text) : text))),
  ].join('\n');
}

/** One thing with its properties below each other; those that are null are left out. */
export function properties(entries: [string, string | null][]): string {
  const known = entries.filter((entry): entry is [string, string] => entry[1] !== null);
  const width = Math.max(...known.map(([name]) => name.length));
  return known
    .map(([name, value]) => `${styled('gray', name.padEnd(width))}  ${toned(printable(value))}`)
    .join('\n');
}
