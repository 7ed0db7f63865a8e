/** `btrfs subvolume list -p -u -q` and `-s`, btrfs-progs 5.10 to 6.x. Pure. */

export interface Subvolume {
  id: number;
  /** Id of the subvolume in which it lies. */
  parentId: number;
  /** Subvolume of which it is a snapshot; null: of none that is told. */
  originUuid: string | null;
  uuid: string | null;
  /** Relative to what is mounted, or, when it lies outside of that, to the top level. */
  path: string;
}

const unless = (dash: string): string | null => (dash === '-' ? null : dash);

const LINE =
  /^ID (\d+) gen \d+ parent (\d+) top level \d+ parent_uuid (\S+)\s+uuid (\S+)\s+path (?:<FS_TREE>\/)?(.+)$/;

/** @throws Error for a line that is no subvolume */
export function parseSubvolumes(text: string): Subvolume[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, id, parentId, origin = '-', uuid = '-', path = ''] = LINE.exec(line) ?? [];
      if (id === undefined) throw new Error(`no subvolume: ${line}`);
      return {
        id: Number(id),
        parentId: Number(parentId),
        originUuid: unless(origin),
        uuid: unless(uuid),
        path,
      };
    });
}

const TIME_LINE = /^ID (\d+) gen .* otime (\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d) .*path .+$/;

/** When snapshots were made, by id, milliseconds since the epoch; the tool tells local time. @throws Error */
export function parseTimes(text: string): Map<number, number> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [, id, ...parts] = TIME_LINE.exec(line) ?? [];
        if (id === undefined) throw new Error(`no snapshot: ${line}`);
        const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
        return [Number(id), new Date(year, month - 1, day, hour, minute, second).getTime()];
      }),
  );
}

/** `btrfs subvolume list -r`: ids of those that are read-only. @throws Error */
export function parseReadOnly(text: string): Set<number> {
  return new Set(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const id = /^ID (\d+) gen /.exec(line)?.[1];
        if (id === undefined) throw new Error(`no subvolume: ${line}`);
        return Number(id);
      }),
  );
}

/** `btrfs subvolume get-default`: "ID 256 gen 9 top level 5 path data", or "ID 5 (FS_TREE)". @throws Error */
export function parseDefault(text: string): number {
  const id = /^ID (\d+) /.exec(text)?.[1];
  if (id === undefined) throw new Error(`no default subvolume: ${text}`);
  return Number(id);
}

/** `btrfs inspect-internal rootid`: one number. @throws Error */
export function parseRootId(text: string): number {
  if (!/^\d+\s*$/.test(text)) throw new Error(`no id of a subvolume: ${text}`);
  return Number(text);
}

/** `btrfs filesystem du -s --raw`: total, exclusive, shared. @returns the exclusive bytes @throws Error */
export function parseExclusive(text: string): number {
  const numbers = /^\s*(\d+)\s+(\d+)\s+(\d+|-)\s+\S/.exec(text.split('\n')[1] ?? '');
  if (!numbers) throw new Error(`no sizes: ${text}`);
  return Number(numbers[2]);
}
