/** Tables of `-Hp` (tabs, exact numbers), and the labels that zdb shows. */
import { isDeviceState, type DeviceState } from './parse-status';

export interface ListedPool {
  name: string;
  guid: string;
  health: DeviceState;
}
export const LIST_POOLS = ['list', '-Hp', '-o', 'name,guid,health'];

const rows = (text: string, columns: number): string[][] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const row = line.split('\t');
      if (row.length !== columns) throw new Error(`the line ${JSON.stringify(line)}`);
      return row;
    });

export const parsePools = (text: string): ListedPool[] =>
  rows(text, 3).map(([name = '', guid = '', health = '']) => {
    if (!/^\d+$/.test(guid) || !isDeviceState(health)) throw new Error(`the pool ${name} ${guid} ${health}`);
    return { name, guid, health };
  });

const whole = (text: string | undefined): number => {
  if (!/^\d+$/.test(text ?? '')) throw new Error(`the number ${JSON.stringify(text)}`);
  return Number(text);
};

/** `zfs list -Hp -o used,available`. */
export function parseSpace(text: string): { usedBytes: number; availableBytes: number } {
  const [row] = rows(text, 2);
  return { usedBytes: whole(row?.[0]), availableBytes: whole(row?.[1]) };
}

export interface ListedSnapshot {
  dataset: string;
  name: string;
  createdAt: number;
  usedBytes: number;
}
export const SNAPSHOT_COLUMNS = 'name,creation,used';
export const parseSnapshots = (text: string): ListedSnapshot[] =>
  rows(text, 3).map(([full = '', creation, used]) => {
    const [dataset, name, ...more] = full.split('@');
    if (!dataset || !name || more.length > 0) throw new Error(`the snapshot ${JSON.stringify(full)}`);
    return { dataset, name, createdAt: whole(creation) * 1_000, usedBytes: whole(used) };
  });

/** One column of names. */
export const parseNames = (text: string): string[] => rows(text, 1).map(([name = '']) => name);

export interface VdevLabel {
  /** null: a spare or a cache, which do not say whose they are. */
  pool: string | null;
  guid: string;
}
/** `zdb -l`: the first of the four labels. */
export function parseLabel(text: string): VdevLabel {
  const value = (name: string): string | null =>
    new RegExp(`^ {4}${name}: '?([^'\n]*)'?$`, 'm').exec(text)?.[1] ?? null;
  const guid = value('guid');
  if (value('version') === null || !guid) throw new Error('no label');
  return { pool: value('name'), guid };
}

/**
 * `zdb -d`: filesystems and volumes; snapshots and what ZFS keeps for itself are left out. Source: dump_one_objset of OpenZFS.
 * @throws Error when it names no dataset
 */
export function parseDatasets(text: string): string[] {
  const found = [...text.matchAll(/^Dataset (.+) \[(ZPL|ZVOL|META|OTHER|[A-Z]+)\], ID \d+,/gm)];
  if (found.length === 0) throw new Error('no dataset');
  return found.flatMap(([, name = '', kind]) =>
    (kind === 'ZPL' || kind === 'ZVOL') && !name.includes('@') && !name.includes('$') ? [name] : [],
  );
}
