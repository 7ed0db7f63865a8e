/**
 * `zpool status -P -p <name>` as data. Source: zpool-status(8); print_status_config and print_scan_status of OpenZFS
 * 2.1 to 2.3. What is not understood is an error.
 */
import { parseScan, type Scan } from './parse-scan';

export const DEVICE_STATES = [
  'ONLINE',
  'DEGRADED',
  'FAULTED',
  'OFFLINE',
  'UNAVAIL',
  'REMOVED',
  'SUSPENDED',
  'AVAIL',
  'INUSE',
] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];
export const isDeviceState = (text: string): text is DeviceState =>
  (DEVICE_STATES as readonly string[]).includes(text);

export type Section = 'data' | 'logs' | 'cache' | 'spares' | 'special' | 'dedup';
const SECTIONS: readonly string[] = ['logs', 'cache', 'spares', 'special', 'dedup'];
export interface Vdev {
  /** Path of a device, `mirror-0`, or the GUID of a device that is gone. */
  name: string;
  /** Of a device: where it is, or was when it was seen last. */
  path: string | null;
  state: DeviceState;
  /** read, write, checksum */
  errors: number;
  note: string | null;
  section: Section;
  children: Vdev[];
}
export interface ShownPool {
  name: string;
  state: DeviceState;
  status: string | null;
  scan: Scan | null;
  /** A top-level vdev that is being removed, or was: as zpool tells it. */
  removal: string | null;
  vdevs: Vdev[];
  /** Files or blocks that are damaged beyond repair; null: cannot be told. */
  dataErrors: number | null;
}

const FIELD = /^ *([a-z]+): ?(.*)$/;

/** The fields of one pool; a line that begins with a tab goes on with the field before it. */
export function fieldsOf(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  let current: string[] | null = null;
  for (const line of text.split('\n')) {
    const field = line.startsWith('\t') ? null : FIELD.exec(line);
    if (field?.[1]) {
      current = [field[2] ?? ''];
      fields.set(field[1], [...(fields.get(field[1]) ?? []), ...current]);
      current = fields.get(field[1]) ?? current;
    } else if (line.startsWith('\t') && current) current.push(line.slice(1));
    else if (line.trim() !== '') throw new Error(`the line ${JSON.stringify(line)}`);
  }
  return fields;
}

const ENTRY = /^( *)(\S+)(?: +([A-Z]+)(?: +(\d+) +(\d+) +(\d+))?)?(?: +(\S.*?))? *$/;

function entryOf(line: string, section: Section): { depth: number; vdev: Vdev } {
  const match = ENTRY.exec(line);
  const [, indent = '', name = '', state = '', read, write, checksum, note] = match ?? [];
  if (!match || !isDeviceState(state)) throw new Error(`the device ${JSON.stringify(line)}`);
  const was = /^was (\S+)/.exec(note ?? '')?.[1] ?? null;
  return {
    depth: indent.length / 2,
    vdev: {
      name,
      path: name.startsWith('/') ? name : was,
      state,
      errors: Number(read ?? 0) + Number(write ?? 0) + Number(checksum ?? 0),
      note: note ?? null,
      section,
      children: [],
    },
  };
}

/** The tree under `config:`, the pool's own line left out. */
export function parseConfig(lines: string[]): Vdev[] {
  const top: Vdev[] = [];
  let section: Section = 'data';
  let parents: Vdev[] = [];
  for (const line of lines) {
    const word = line.trim();
    if (word === '' || /^NAME +STATE\b/.test(word)) continue;
    if (SECTIONS.includes(word) && !line.startsWith(' ')) {
      section = word as Section;
      parents = [];
      continue;
    }
    const { depth, vdev } = entryOf(line, section);
    if (depth === 0) continue;
    const parent = depth === 1 ? null : parents[depth - 2];
    if (parent === undefined) throw new Error(`the device ${JSON.stringify(line)} is below nothing`);
    (parent?.children ?? top).push(vdev);
    parents = [...parents.slice(0, depth - 1), vdev];
  }
  return top;
}

function dataErrorsOf(text: string): number | null {
  if (text === 'No known data errors') return 0;
  const count = /^(\d+) data errors/.exec(text)?.[1];
  if (count !== undefined) return Number(count);
  if (text === '' || /unavailable|Permanent errors/.test(text)) return null;
  throw new Error(`the errors ${JSON.stringify(text)}`);
}

/** @throws Error when a line is not understood */
export function parseStatus(text: string): ShownPool {
  const fields = fieldsOf(text);
  const one = (name: string): string | null => fields.get(name)?.join(' ').trim() ?? null;
  const name = one('pool');
  const state = one('state');
  const config = fields.get('config');
  if (!name || !state || !isDeviceState(state) || !config) throw new Error('no pool, state or config');
  return {
    name,
    state,
    status: one('status'),
    scan: parseScan(fields.get('scan') ?? []),
    removal: one('remove'),
    vdevs: parseConfig(config),
    dataErrors: dataErrorsOf(one('errors') ?? ''),
  };
}

/** Devices, each with the vdevs above it. */
export function leavesOf(vdevs: Vdev[], above: Vdev[] = []): { leaf: Vdev; above: Vdev[] }[] {
  return vdevs.flatMap((vdev) =>
    vdev.children.length === 0 ? [{ leaf: vdev, above }] : leavesOf(vdev.children, [...above, vdev]),
  );
}
