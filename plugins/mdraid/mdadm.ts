/**
 * Calls of mdadm(8): typed call in, argv out. Pure. mdadm takes no `--`; what it is given as devices are always absolute
 * paths. Arrays are addressed by their UUID; the name under /dev/md is only what mdadm asks for when it makes the node.
 */
import type { ArrayRef, DriveRef, ExecAction } from '../../src/lib/plugin-api/plan';
import type { LayoutId } from './layouts';

export const MDADM = '/usr/sbin/mdadm';

const NAME_PREFIX = 'cairn-';
const NAME_DIGITS = 25;
const RADIX = 36;

/** The GUID in 31 characters: longer names are cut by mdadm 4.2. It tells whose array it is on any machine. */
export const arrayName = (guid: string): string =>
  NAME_PREFIX +
  BigInt(`0x${guid.replaceAll('-', '')}`)
    .toString(RADIX)
    .padStart(NAME_DIGITS, '0');

/** @returns the GUID that {@link arrayName} has put into the name; null when it is not such a name */
export function guidOfName(name: string): string | null {
  // Older tools put the host's name in front.
  const digits = new RegExp(`(?:^|:)${NAME_PREFIX}([0-9a-z]{${NAME_DIGITS}})$`).exec(name)?.[1];
  if (digits === undefined) return null;
  const value = [...digits].reduce(
    (total, digit) => total * BigInt(RADIX) + BigInt(Number.parseInt(digit, RADIX)),
    0n,
  );
  const hex = value.toString(16).padStart(32, '0');
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : null;
}

const LEVELS: Record<LayoutId, string> = { raid0: '0', raid1: '1', raid5: '5', raid6: '6', raid10: '10' };
const SLOW_MS = 5 * 60_000;

const mdadm = (argv: ExecAction['argv'], timeoutMs?: number): ExecAction => ({
  do: 'exec',
  program: MDADM,
  argv,
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});

export interface CreateRequest {
  guid: string;
  uuid: string;
  layout: LayoutId;
  /** KiB; null: the layout has no stripes. */
  chunkKib: number | null;
  /** null: the layout has none. */
  bitmap: boolean | null;
  members: DriveRef[];
}
/**
 * `--force` makes raid5 and raid6 begin with a resync over all members. Without it raid5 begins degraded, and when the
 * power goes during its first build it does not assemble again. What is on the members does not become valid by
 * assuming it, so there is no `--assume-clean`.
 */
export const createCommand = (request: CreateRequest): ExecAction =>
  mdadm(
    [
      ...['--create', `/dev/md/${arrayName(request.guid)}`, '--run', '--force', '--metadata=1.2'],
      ...[`--level=${LEVELS[request.layout]}`, `--raid-devices=${request.members.length}`],
      ...(request.chunkKib === null ? [] : [`--chunk=${request.chunkKib}`]),
      ...(request.bitmap === null ? [] : [`--bitmap=${request.bitmap ? 'internal' : 'none'}`]),
      ...['--homehost=any', `--name=${arrayName(request.guid)}`, `--uuid=${request.uuid}`],
      ...request.members,
    ],
    SLOW_MS,
  );

/**
 * `--run`: also when fewer members are there than last time. Which ones those may be was decided before; the kernel starts
 * no array that has too few, nor one whose redundancy is in doubt.
 */
export const assembleCommand = (guid: string, uuid: string, members: DriveRef[]): ExecAction =>
  mdadm(
    [
      ...['--assemble', `/dev/md/${arrayName(guid)}`, '--run', `--uuid=${uuid}`],
      ...['--config=none', '--homehost=any', ...members],
    ],
    SLOW_MS,
  );
/** Read-only: neither a superblock nor anything else is written, and nothing is brought into step. */
export const assembleReadOnlyCommand = (guid: string, uuid: string, members: DriveRef[]): ExecAction =>
  mdadm(
    [
      ...['--assemble', `/dev/md/${arrayName(guid)}`, '--readonly', '--run', `--uuid=${uuid}`],
      ...['--config=none', '--homehost=any', ...members],
    ],
    SLOW_MS,
  );
export const stopCommand = (array: ArrayRef): ExecAction => mdadm(['--stop', array]);
export const zeroCommand = (member: DriveRef): ExecAction => mdadm(['--zero-superblock', member]);

/** A member that was away comes back with its bitmap (re-added) when that is possible, else as a new one. */
export const addCommand = (array: ArrayRef, members: DriveRef[]): ExecAction =>
  mdadm(['--manage', array, '--add', ...members], SLOW_MS);
export const removeCommand = (array: ArrayRef, member: DriveRef): ExecAction =>
  mdadm(['--manage', array, '--remove', member]);
export const failAndRemoveCommand = (array: ArrayRef, member: DriveRef): ExecAction =>
  mdadm(['--manage', array, '--fail', member, '--remove', member]);
export const replaceCommand = (array: ArrayRef, old: DriveRef, fresh: DriveRef): ExecAction =>
  mdadm(['--manage', array, '--replace', old, '--with', fresh]);
export const growCommand = (array: ArrayRef, raidDevices: number): ExecAction =>
  mdadm(['--grow', array, `--raid-devices=${raidDevices}`], SLOW_MS);
export const actionCommand = (array: ArrayRef, action: 'check' | 'idle'): ExecAction =>
  mdadm([`--action=${action}`, array]);
