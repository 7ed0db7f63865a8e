/**
 * A running array as the kernel describes it. Read from sysfs without starting a program, so that it can be asked often.
 * Source: kernel Documentation/admin-guide/md.rst. What a kernel says that is not known is an error.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface ArrayMember {
  /** Kernel name of the member's device: sda1. Means nothing by itself. */
  name: string;
  /** Place in the array; null: none now (a spare, or failed). */
  slot: number | null;
  flags: string[];
  /** Its device is still there. */
  alive: boolean;
}
export type SyncAction = 'idle' | 'resync' | 'recover' | 'check' | 'repair' | 'reshape' | 'frozen';

export interface ArrayState {
  /** clean, active, read-auto, inactive, broken, ... */
  state: string;
  /** raid5; null while it is not started. */
  level: string | null;
  raidDisks: number;
  sizeBytes: number;
  chunkBytes: number;
  action: SyncAction;
  /** Sectors of the work in progress; null: not at work now. */
  progress: { done: number; total: number } | null;
  kibPerSecond: number | null;
  /** It waits for another array of the same drives, or for the first write (after a start without one). */
  waiting: boolean;
  reshaping: boolean;
  lastAction: string | null;
  /** Sectors that did not match in the last check; of a resync they say nothing. */
  mismatches: number;
  /** Where an interrupted check stopped, sectors; 0: it came to its end. */
  interruptedAt: number;
  members: ArrayMember[];
}

const STATES = [
  ...['clear', 'inactive', 'suspended', 'readonly', 'read-auto', 'clean', 'active'],
  ...['write-pending', 'active-idle', 'broken'],
];
const ACTIONS: SyncAction[] = ['idle', 'resync', 'recover', 'check', 'repair', 'reshape', 'frozen'];
const SECTOR_BYTES = 512;

const MEMBER = /^dev-(.+)\/(slot|state|alive)$/;

function integer(name: string, text: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error(`${name} is "${text}"`);
  return Number(text);
}
const optional = (name: string, text: string | undefined, otherwise: number): number =>
  text === undefined || text === '' ? otherwise : integer(name, text);

function parseMembers(attributes: Map<string, string>): ArrayMember[] {
  const names = new Set([...attributes.keys()].flatMap((path) => MEMBER.exec(path)?.[1] ?? []));
  return [...names].sort().flatMap((name): ArrayMember[] => {
    const slot = attributes.get(`dev-${name}/slot`);
    const state = attributes.get(`dev-${name}/state`);
    // It left while it was being read.
    if (slot === undefined || state === undefined) return [];
    return [
      {
        name: name.replaceAll('!', '/'),
        slot: slot === 'none' || slot === 'journal' ? null : integer(`${name}: slot`, slot),
        flags: state.split(',').filter((flag) => flag !== ''),
        alive: attributes.get(`dev-${name}/alive`) !== 'no',
      },
    ];
  });
}

function parseProgress(text: string): ArrayState['progress'] {
  if (text === 'none' || text === 'delayed' || text === '') return null;
  const match = /^(\d+) \/ (\d+)$/.exec(text);
  if (!match) throw new Error(`sync_completed is "${text}"`);
  return { done: Number(match[1]), total: Number(match[2]) };
}

/**
 * @param attributes by path below the array's `md` folder; `size` is that of the block device, sectors
 * @throws Error for what is not understood
 */
export function parseArray(attributes: Map<string, string>): ArrayState {
  const text = (name: string): string => attributes.get(name) ?? '';
  const state = text('array_state');
  if (!STATES.includes(state)) throw new Error(`array_state is "${state}"`);
  const action = text('sync_action') || 'idle';
  const known = ACTIONS.find((candidate) => candidate === action);
  if (!known) throw new Error(`sync_action is "${action}"`);
  const speed = text('sync_speed');
  const resyncStart = text('resync_start');
  return {
    state,
    level: text('level') || null,
    // During a reshape: "5 (4)".
    raidDisks: optional('raid_disks', text('raid_disks').split(' ')[0], 0),
    sizeBytes: optional('size', text('size'), 0) * SECTOR_BYTES,
    chunkBytes: optional('chunk_size', text('chunk_size'), 0),
    action: known,
    progress: parseProgress(text('sync_completed')),
    kibPerSecond: speed === '' || speed === 'none' ? null : integer('sync_speed', speed),
    waiting:
      text('sync_completed') === 'delayed' ||
      known === 'frozen' ||
      (state === 'read-auto' && resyncStart !== '' && resyncStart !== 'none'),
    reshaping: known === 'reshape' || !['', 'none'].includes(text('reshape_position')),
    lastAction: text('last_sync_action') || null,
    mismatches: optional('mismatch_cnt', text('mismatch_cnt'), 0),
    interruptedAt: optional('sync_min', text('sync_min'), 0),
    members: parseMembers(attributes),
  };
}

const ATTRIBUTES = [
  ...['array_state', 'level', 'raid_disks', 'chunk_size', 'sync_action', 'sync_completed', 'sync_speed'],
  ...['resync_start', 'reshape_position', 'last_sync_action', 'mismatch_cnt', 'sync_min'],
];

/** undefined: gone meanwhile, or this array has no such attribute. */
async function attribute(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'EINVAL' || code === 'EIO') return undefined;
    throw error;
  }
}

async function isAlive(path: string): Promise<string | undefined> {
  try {
    await readlink(path);
    return existsSync(path) ? 'yes' : 'no';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'no';
    throw error;
  }
}

/**
 * @param kernelName md127
 * @param sysRoot for tests
 * @returns null when there is no such array (any more)
 */
export async function readArray(kernelName: string, sysRoot = '/sys'): Promise<ArrayState | null> {
  const block = join(sysRoot, 'block', kernelName);
  const folder = join(block, 'md');
  if (!existsSync(folder)) return null;
  const members = (await readdir(folder)).filter((name) => name.startsWith('dev-'));
  const values = await Promise.all([
    attribute(join(block, 'size')).then((value) => ['size', value] as const),
    ...ATTRIBUTES.map(async (name) => [name, await attribute(join(folder, name))] as const),
    ...members.flatMap((member) => [
      ...['slot', 'state'].map(
        async (name) => [`${member}/${name}`, await attribute(join(folder, member, name))] as const,
      ),
      isAlive(join(folder, member, 'block')).then((value) => [`${member}/alive`, value] as const),
    ]),
  ]);
  const attributes = new Map<string, string>();
  for (const [name, value] of values) if (value !== undefined) attributes.set(name, value);
  return attributes.has('array_state') ? parseArray(attributes) : null;
}

/** Started: it can be read and written. `inactive` and `clear` are only a collection of drives. */
export const isStarted = (array: ArrayState): boolean =>
  !['clear', 'inactive'].includes(array.state) && array.level !== null;
export const isFaulty = (member: ArrayMember): boolean => member.flags.includes('faulty');
export const isInSync = (member: ArrayMember): boolean =>
  member.slot !== null && member.flags.includes('in_sync') && !isFaulty(member);
