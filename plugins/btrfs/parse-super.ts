/** What is read of a btrfs that is not mounted: superblocks, the chunk tree; and the profiles of a mounted one. Text to data. */
export interface Superblock {
  uuid: string;
  label: string;
  /** How many devices the filesystem has, there or not. */
  deviceCount: number;
  devid: number;
  deviceBytes: number;
}

const field = (text: string, name: string): string | null => {
  const match = new RegExp(`^${name.replace('.', '\\.')}[\\t ]*(.*)$`, 'm').exec(text);
  return match ? (match[1] ?? '').trim() : null;
};
function integer(text: string, name: string): number {
  const value = field(text, name);
  const number = value !== null && /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new Error(`${name} is ${JSON.stringify(value)}`);
  return number;
}

/** `btrfs inspect-internal dump-super`. @throws Error when it is not one superblock with a magic that matches */
export function parseSuper(text: string): Superblock {
  const heads = text.match(/^superblock: bytenr=/gm) ?? [];
  if (heads.length !== 1 || !/^magic[\t ]+_BHRfS_M \[match\]$/m.test(text))
    throw new Error(`${heads.length} superblocks in the answer`);
  const uuid = field(text, 'fsid') ?? '';
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) throw new Error(`fsid is ${uuid}`);
  return {
    uuid,
    label: field(text, 'label') ?? '',
    deviceCount: integer(text, 'num_devices'),
    devid: integer(text, 'dev_item.devid'),
    deviceBytes: integer(text, 'dev_item.total_bytes'),
  };
}

export interface ChunkTree {
  devices: { devid: number; sizeBytes: number }[];
  /** Profiles of the data chunks in lower case, each once: `single`, `raid1`. */
  dataProfiles: string[];
}

/** `type DATA|RAID1`, `type DATA|METADATA|DUP`; without a profile it is single, which older tools do not name. */
function profileOf(type: string): string | null {
  const words = type.toLowerCase().split('|');
  if (!words.includes('data')) return null;
  const [profile = 'single', ...more] = words.filter((word) => word !== 'data' && word !== 'metadata');
  if (more.length > 0 || !/^(single|dup|raid\d+(c\d)?)$/.test(profile)) throw new Error(`the type ${type}`);
  return profile;
}

/** `btrfs inspect-internal dump-tree -t chunk`. @throws Error when it is no chunk tree, or a chunk is not understood */
export function parseChunkTree(text: string): ChunkTree {
  if (!/^chunk tree$/m.test(text)) throw new Error('no chunk tree in the answer');
  const devices = [...text.matchAll(/^\s*devid (\d+) total_bytes (\d+) bytes_used \d+$/gm)].map((match) => ({
    devid: Number(match[1]),
    sizeBytes: Number(match[2]),
  }));
  const types = [...text.matchAll(/^\s*length \d+ owner \d+ stripe_len \d+ type (\S+)$/gm)];
  const items = text.match(/\bCHUNK_ITEM \d+\)/g)?.length ?? 0;
  const deviceItems = text.match(/\bDEV_ITEM \d+\)/g)?.length ?? 0;
  if (types.length !== items || devices.length !== deviceItems || devices.length === 0)
    throw new Error(`${types.length} of ${items} chunks and ${devices.length} of ${deviceItems} devices`);
  return {
    devices,
    dataProfiles: [...new Set(types.flatMap((match) => profileOf(match[1] ?? '') ?? []))],
  };
}

/** `btrfs filesystem df --raw`: `Data, RAID1: total=67108864, used=0`. @returns the data profiles, each once, lower case */
export function parseDataProfiles(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const rows = lines.map((line) => /^([A-Za-z+]+), (\w+): total=\d+, used=\d+$/.exec(line));
  const bad = rows.indexOf(null);
  if (rows.length === 0 || bad >= 0) throw new Error(`the line ${JSON.stringify(lines[bad] ?? '')}`);
  const profiles = rows.flatMap((row) =>
    row?.[1]?.toLowerCase().split('+').includes('data') ? [(row[2] ?? '').toLowerCase()] : [],
  );
  return [...new Set(profiles)];
}
