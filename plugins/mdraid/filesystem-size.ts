/** How large the filesystem on an array is, by its own account. */
import type { JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import { basename } from 'node:path';
import { readArray } from './array';
import { BTRFS, DUMPE2FS, XFS_IO } from './filesystems';

/** Filesystems end on a boundary of their own: a last piece too small for them stays unused. */
const SLACK_BYTES = 64 * 1024 ** 2;

const numberAfter = (pattern: RegExp, text: string): number => {
  const match = pattern.exec(text);
  if (!match) throw new Error(`no ${pattern.source}`);
  return Number(match[1]);
};

/** `dumpe2fs -h` @throws Error */
export const ext4Bytes = (text: string): number =>
  numberAfter(/^Block count:\s+(\d+)$/m, text) * numberAfter(/^Block size:\s+(\d+)$/m, text);
/** `xfs_io -r -c statfs`: the kernel's own answer (geom.datablocks, geom.bsize). @throws Error */
export const xfsBytes = (text: string): number =>
  numberAfter(/^geom\.datablocks = (\d+)$/m, text) * numberAfter(/^geom\.bsize = (\d+)$/m, text);
/** `btrfs filesystem show --raw` of one device @throws Error */
export const btrfsBytes = (text: string): number =>
  numberAfter(/^\s*devid\s+\d+ size (\d+) used \d+ path /m, text);

export interface SizeParsers {
  ext4: (text: string) => number;
  xfs: (text: string) => number;
  btrfs: (text: string) => number;
}

async function sizeOf(
  context: PluginContext,
  at: { type: string; path: string; mountPath: string },
  parsers: SizeParsers,
): Promise<number> {
  if (at.type === 'ext4') return parsers.ext4((await context.read(DUMPE2FS, ['-h', at.path])).stdout);
  if (at.type === 'xfs')
    return parsers.xfs((await context.read(XFS_IO, ['-r', '-c', 'statfs', at.mountPath])).stdout);
  return parsers.btrfs((await context.read(BTRFS, ['filesystem', 'show', '--raw', at.mountPath])).stdout);
}

/** Has the filesystem all of the array? */
export async function lookAtSize(
  context: PluginContext,
  args: JsonObject,
  parsers: SizeParsers,
): Promise<LookResult> {
  const path = context.path({ array: String(args.array) });
  const array = path === null ? null : await readArray(basename(path));
  const mountPath = String(args.mountPath);
  const mounted = context.mounts().findLast((mount) => mount.path === mountPath);
  if (path === null || !array || mounted?.source !== path)
    return { status: 'foreign', evidence: `The pool is not mounted at ${mountPath}.` };
  const bytes = await sizeOf(context, { type: String(args.type), path, mountPath }, parsers);
  const evidence = `The filesystem has ${bytes} of the array's ${array.sizeBytes} bytes.`;
  return { status: array.sizeBytes - bytes < SLACK_BYTES ? 'done' : 'absent', evidence };
}
