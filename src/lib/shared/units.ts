/** Sizes and shares as people read them. Sizes in the product are integers of bytes; only text uses units. */

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1536` → `1.5 KiB`; three significant digits at most, and none after the point for whole numbers. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${UNITS[unit] ?? ''}`;
}

/**
 * Used space as df(1) counts it: used / (used + available), rounded up, so that "0%" means nothing is used. `size` may be
 * larger than both together where the filesystem keeps a reserve.
 * @returns `5%`; null when a value is not known
 */
export function usePercent(usedBytes: number | null, availableBytes: number | null): string | null {
  if (usedBytes === null || availableBytes === null) return null;
  const total = usedBytes + availableBytes;
  return `${total === 0 ? 0 : Math.min(100, Math.ceil((usedBytes / total) * 100))}%`;
}
