/** What the kernel does on an array now, and how its last check ended. Pure. */
import type { KernelWork, ScrubReading } from '../../src/lib/plugin-api/storage';
import { isFaulty, type ArrayMember, type ArrayState } from './array';

const SECTOR_BYTES = 512;
const KIB = 1024;

const isFilling = (member: ArrayMember): boolean =>
  member.slot !== null && !isFaulty(member) && !member.flags.includes('in_sync');

interface Kind {
  kind: KernelWork['kind'];
  title: string;
}
function kindOf(array: ArrayState, nameOf: (member: ArrayMember) => string): Kind | null {
  const names = array.members.filter(isFilling).map(nameOf).join(', ');
  switch (array.action) {
    case 'recover':
      return { kind: 'rebuild', title: names === '' ? 'Rebuilding' : `Rebuilding onto drive ${names}` };
    case 'resync':
      return { kind: 'resync', title: 'Bringing the members into step (resync)' };
    case 'check':
    case 'repair':
      return { kind: 'scrub', title: 'Checking that all members agree' };
    case 'reshape':
      return { kind: 'reshape', title: `Spreading the content over ${array.raidDisks} drives` };
    default:
      if (array.reshaping) return { kind: 'reshape', title: 'Spreading the content (stopped for now)' };
      return array.waiting && array.action === 'idle'
        ? { kind: 'resync', title: 'Bringing the members into step, from the first write on' }
        : null;
  }
}

/** @param nameOf the member's drive for people: its serial */
export function workOf(array: ArrayState, nameOf: (member: ArrayMember) => string): KernelWork[] {
  const what = kindOf(array, nameOf);
  if (!what) return [];
  const { progress, kibPerSecond } = array;
  const left = progress ? Math.max(0, progress.total - progress.done) * SECTOR_BYTES : null;
  const bytesPerSecond = kibPerSecond === null ? null : kibPerSecond * KIB;
  return [
    {
      ...what,
      percent: progress && progress.total > 0 ? Math.min(100, (progress.done / progress.total) * 100) : null,
      bytesPerSecond,
      secondsLeft: left === null || !bytesPerSecond ? null : Math.round(left / bytesPerSecond),
      paused: array.waiting || array.action === 'idle',
    },
  ];
}

/**
 * md remembers neither when a check was nor, after a later resync, what it found. undefined: nothing can be said.
 * It counts what does not match, and mends only in a repair; which copy was right it cannot know.
 */
export function lastScrubOf(array: ArrayState): ScrubReading | undefined {
  const checked = array.lastAction === 'check' || array.lastAction === 'repair';
  if (!checked || array.action !== 'idle') return undefined;
  return {
    endedAt: null,
    state: array.interruptedAt > 0 ? 'cancelled' : 'finished',
    errors: array.mismatches,
    uncorrectable: array.lastAction === 'check' ? array.mismatches : 0,
  };
}
