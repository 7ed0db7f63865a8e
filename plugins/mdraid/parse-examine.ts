/** `mdadm --examine DEVICE...`: text to data. One section for each device that carries something. */

export interface Superblock {
  path: string;
  /** 1.2; another than 1.x is only recognised. */
  version: string;
  /** UUID of the array, 8-4-4-4-12. */
  arrayUuid: string;
  /** As mdadm shows it, perhaps with the host's name in front. */
  name: string;
  /** raid5 */
  level: string;
  raidDevices: number;
  sizeBytes: number | null;
  chunkKib: number | null;
  bitmap: boolean;
  /** Its place in the array; null: a spare, or a journal. */
  slot: number | null;
  /** It was being filled, and is not complete: what lies beyond is old. */
  filling: boolean;
  /** It is about to take the place of another one, which still has it. */
  replacement: boolean;
  /** Rises with every change of the array: a member with fewer was left behind. */
  events: number;
  /** What this member knows of all places: A active, . missing, R being replaced. */
  places: string;
}

const MAGIC = 'a92b4efc';
const UUID = /^([0-9a-f]{8}):([0-9a-f]{4})([0-9a-f]{4}):([0-9a-f]{4})([0-9a-f]{4}):([0-9a-f]{8})$/;

/** `3b0c6f2e:7f4d4b8a:9c0e5a1d:2e3f4a00` as 8-4-4-4-12. @throws Error */
export function dashedUuid(text: string): string {
  const match = UUID.exec(text);
  if (!match) throw new Error(`"${text}" is no UUID`);
  return `${match[1]}-${match[2]}-${match[3]}-${match[4]}-${match[5]}${match[6]}`;
}

type Values = Map<string, string>;

function need(values: Values, name: string): string {
  const value = values.get(name);
  if (value === undefined) throw new Error(`no "${name}"`);
  return value;
}
function leadingNumber(values: Values, name: string): number {
  const match = /^(\d+)/.exec(need(values, name));
  if (!match) throw new Error(`"${name}" is "${values.get(name)}"`);
  return Number(match[1]);
}

function slotOf(role: string): number | null {
  const active = /^(?:Active|Replacement) device (\d+)$/.exec(role);
  if (active) return Number(active[1]);
  if (role === 'spare' || role === 'Journal') return null;
  throw new Error(`"Device Role" is "${role}"`);
}

function chunkOf(values: Values): number | null {
  const text = values.get('Chunk Size');
  if (text === undefined) return null;
  const match = /^(\d+)(K|M)$/.exec(text);
  if (!match) throw new Error(`"Chunk Size" is "${text}"`);
  return Number(match[1]) * (match[2] === 'M' ? 1024 : 1);
}

function superblockOf(path: string, values: Values): Superblock {
  const sizeKib = values.get('Array Size');
  return {
    path,
    version: need(values, 'Version'),
    arrayUuid: dashedUuid(need(values, 'Array UUID')),
    name: (values.get('Name') ?? '').replace(/\s+\(local to host .*\)$/, ''),
    level: need(values, 'Raid Level'),
    raidDevices: leadingNumber(values, 'Raid Devices'),
    sizeBytes: sizeKib === undefined ? null : leadingNumber(values, 'Array Size') * 1024,
    chunkKib: chunkOf(values),
    bitmap: values.has('Internal Bitmap'),
    slot: slotOf(need(values, 'Device Role')),
    filling: values.has('Recovery Offset'),
    replacement: need(values, 'Device Role').startsWith('Replacement '),
    events: leadingNumber(values, 'Events'),
    places: need(values, 'Array State').split(' ')[0] ?? '',
  };
}

/**
 * @returns the md superblocks of version 1; what else mdadm knows (partition tables, firmware RAID, version 0.90) is left out
 * @throws Error for text that is no answer of mdadm
 */
export function parseExamine(text: string): Superblock[] {
  const sections: { path: string; values: Values }[] = [];
  for (const line of text.split('\n').filter((candidate) => candidate.trim() !== '')) {
    const head = /^(\/dev\/\S+):$/.exec(line);
    if (head) {
      sections.push({ path: head[1] ?? '', values: new Map() });
      continue;
    }
    const section = sections.at(-1);
    if (!section) throw new Error(`"${line}" belongs to no device`);
    const value = /^\s*([^:]+?) : (.*)$/.exec(line);
    if (value && !section.values.has(value[1] ?? ''))
      section.values.set(value[1] ?? '', (value[2] ?? '').trim());
  }
  return sections.flatMap(({ path, values }) => {
    const isOurs = values.get('Magic') === MAGIC && /^1\.\d$/.test(values.get('Version') ?? '');
    if (!isOurs && !values.has('Magic') && !values.has('MBR Magic'))
      throw new Error(`nothing is said about ${path}`);
    return isOurs ? [superblockOf(path, values)] : [];
  });
}

/** The member that took part last: it knows most. */
export const newestOf = <S extends Superblock>(members: S[]): S | undefined =>
  members.toSorted((a, b) => b.events - a.events)[0];

/** A member that was left behind says less than the newest one, and is known there to be gone. One event may be on its way. */
export const isCurrent = (member: Superblock, newest: Superblock): boolean =>
  member.slot !== null && newest.places[member.slot] !== '.' && member.events + 1 >= newest.events;
