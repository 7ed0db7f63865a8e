/** `btrfs device stats`, with `--format json` (since 5.11) or as text: text to data. */
export const COUNTERS = [
  'write_io_errs',
  'read_io_errs',
  'flush_io_errs',
  'corruption_errs',
  'generation_errs',
] as const;
export type Counter = (typeof COUNTERS)[number];
export interface DeviceStats {
  /** As the tool names it; a device that is gone has no path. */
  device: string;
  errors: Record<Counter, number>;
}

const count = (value: unknown): number => {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new Error(`${String(value)} is no counter`);
  return number;
};
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function fromJson(text: string): DeviceStats[] {
  const document: unknown = JSON.parse(text);
  const list = isRecord(document) ? document['device-stats'] : undefined;
  if (!Array.isArray(list)) throw new Error('no device-stats in the answer');
  return list.map((entry: unknown) => {
    if (!isRecord(entry) || typeof entry.device !== 'string') throw new Error('an entry without device');
    const counters = COUNTERS.map((name): [Counter, number] => [name, count(entry[name])]);
    return { device: entry.device, errors: Object.fromEntries(counters) as Record<Counter, number> };
  });
}

function fromText(text: string): DeviceStats[] {
  const found = new Map<string, Map<string, number>>();
  for (const line of text.split('\n').filter((candidate) => candidate.trim() !== '')) {
    const match = /^\[(.+)\]\.(\w+)\s+(\d+)$/.exec(line.trim());
    if (!match) throw new Error(`the line ${JSON.stringify(line)}`);
    const [, device = '', name = '', value] = match;
    const counters = found.get(device) ?? new Map<string, number>();
    found.set(device, counters.set(name, count(value)));
  }
  return [...found].map(([device, counters]) => ({
    device,
    errors: Object.fromEntries(COUNTERS.map((name) => [name, count(counters.get(name))])) as Record<
      Counter,
      number
    >,
  }));
}

/** @throws Error when a line or an entry is not understood */
export const parseStats = (text: string): DeviceStats[] =>
  text.trimStart().startsWith('{') ? fromJson(text) : fromText(text);
