/**
 * Programs that were killed and do not end: the kernel waits for a drive or a server that is gone and lets nobody end them.
 * They are left behind, and the same question is not asked again while one of them hangs: each would hang as well.
 */
import { AppError } from '../errors';
import { sayCommand } from './environment';
import { hasEnded, readStat } from './process-group';

/** How long a killed program may take to be gone. */
export const GRACE_MS = 1_000;

export interface StuckPrograms {
  /** @throws AppError command_timeout while a program that was asked the same has not ended */
  refuseIfStuck(program: string, argv: string[]): void;
  add(program: string, argv: string[], pid: number): void;
}

export function createStuckPrograms(): StuckPrograms {
  const stuck = new Map<string, { pid: number; startTicks: number }>();
  const keyOf = (program: string, argv: string[]): string => [program, ...argv].join('\0');
  return {
    refuseIfStuck(program, argv) {
      const key = keyOf(program, argv);
      const known = stuck.get(key);
      if (!known) return;
      const now = readStat(known.pid);
      if (hasEnded(now) || now?.startTicks !== known.startTicks) {
        stuck.delete(key);
        return;
      }
      throw new AppError(
        'command_timeout',
        `${sayCommand(program, argv)} was asked before and still waits for the kernel.`,
        { details: { argv: [program, ...argv], pid: known.pid } },
      );
    },
    add(program, argv, pid) {
      const stat = readStat(pid);
      if (stat && !hasEnded(stat)) stuck.set(keyOf(program, argv), { pid, startTicks: stat.startTicks });
    },
  };
}
