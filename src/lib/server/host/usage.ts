/** Used space of a mounted filesystem. */
import { statfs } from 'node:fs/promises';
import { AppError } from '../errors';
import { readMounts } from './mounts';
import { PROGRAMS } from './programs';
import type { CommandRunner } from './types';

export interface Usage {
  sizeBytes: number;
  usedBytes: number;
  availableBytes: number;
}

/** Their statfs(2) answers from memory, also when their drive is gone. */
const LOCAL = new Set(['btrfs', 'ext2', 'ext3', 'ext4', 'xfs']);
const TIMEOUT_MS = 2_000;

/** `stat --file-system` with `%b %f %a %S`. @throws AppError parse_failed */
export function parseStat(text: string): Usage {
  const [blocks, free, available, unit, ...more] = text.trim().split(' ').map(Number);
  if (more.length > 0 || ![blocks, free, available, unit].every(Number.isFinite))
    throw new AppError('parse_failed', 'stat said something that is not understood.', {
      details: { tool: 'stat', output: text.slice(0, 500) },
    });
  return usageOf(blocks ?? 0, free ?? 0, available ?? 0, unit ?? 0);
}

const usageOf = (blocks: number, free: number, available: number, unit: number): Usage => ({
  sizeBytes: blocks * unit,
  usedBytes: (blocks - free) * unit,
  availableBytes: available * unit,
});

/**
 * A filesystem whose drives or server are gone may keep whoever asks for ever, and a thread of this process with it; four
 * such threads, and nothing that touches a file works any more. So another process asks, and is left behind if need be.
 * @throws AppError command_timeout | command_failed
 */
export async function usageAt(commands: Pick<CommandRunner, 'read'>, path: string): Promise<Usage> {
  const mount = readMounts().findLast((entry) => entry.path === path);
  if (mount && LOCAL.has(mount.filesystem)) {
    const { blocks, bfree, bavail, bsize } = await statfs(path);
    return usageOf(blocks, bfree, bavail, bsize);
  }
  const argv = ['--file-system', '--format=%b %f %a %S', '--', path];
  const { stdout } = await commands.read(PROGRAMS.stat, argv, { timeoutMs: TIMEOUT_MS });
  return parseStat(stdout);
}
