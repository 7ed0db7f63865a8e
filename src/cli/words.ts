/** Sizes and times as people read them in a terminal. */
import { formatBytes } from '$lib/shared/units';

export const size = (bytes: number | null | undefined): string | null =>
  bytes === null || bytes === undefined ? null : formatBytes(bytes);

/** Local time, sortable: `2026-11-22 20:05:31`. */
export function time(at: number | null): string | null {
  if (at === null) return null;
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
