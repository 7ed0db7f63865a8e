/** Texts about pools that more than one place shows. */
import type { MemberStatus, PoolStatus } from '$lib/shared/states';
import type { Pool } from '$lib/shared/wire/pools';
import type { Tone } from '$lib/ui/tone';

export const statusWord: Record<PoolStatus, string> = {
  active: 'Active',
  degraded: 'Degraded',
  resync: 'Resync',
  inactive: 'Inactive',
  failed: 'Failed',
  missing: 'Missing',
};
const memberWord: Record<MemberStatus, string> = {
  active: 'Active',
  missing: 'Missing',
  faulty: 'Faulty',
  rebuilding: 'Rebuilding',
  spare: 'Spare',
  unknown: 'Unknown',
};
const memberTone: Record<MemberStatus, Tone> = {
  active: 'good',
  missing: 'bad',
  faulty: 'bad',
  rebuilding: 'accent',
  spare: 'quiet',
  unknown: 'warn',
};

/** While a pool is made its members cannot be read yet, which is nothing to worry about. */
export function memberLook(pool: Pool, status: MemberStatus): { tone: Tone; word: string } {
  if (status === 'unknown' && (pool.state === 'creating' || pool.state === 'deleting'))
    return { tone: 'quiet', word: 'Not read yet' };
  return { tone: memberTone[status], word: memberWord[status] };
}

/** One word for a badge: what was made of it first, then what the machine says. */
export function poolWord(pool: Pool): string {
  switch (pool.state) {
    case 'creating':
      return 'Creating';
    case 'deleting':
      return 'Removing';
    case 'failed':
      return 'Failed';
    case 'deleted':
      return 'Removed';
    case 'error':
      return pool.source !== null && (pool.poolStatus === 'failed' || pool.poolStatus === 'missing')
        ? 'No answer'
        : 'Needs you';
    case 'unmounted':
      return pool.poolStatus && pool.poolStatus !== 'active' && pool.poolStatus !== 'inactive'
        ? statusWord[pool.poolStatus]
        : 'Unmounted';
    case 'ready':
      return pool.poolStatus ? statusWord[pool.poolStatus] : 'Not read yet';
  }
}

export function poolTone(pool: Pool): Tone {
  if (pool.state === 'creating' || pool.state === 'deleting') return 'accent';
  if (pool.state === 'error' || pool.state === 'failed') return 'bad';
  if (pool.health === 'critical') return 'bad';
  if (pool.health === 'warning') return 'warn';
  if (pool.state === 'unmounted') return 'quiet';
  return pool.health === 'healthy' ? 'good' : 'quiet';
}

/** A sentence that a person can act on. */
export function healthSentence(pool: Pool): string {
  if (pool.errorMessage) return pool.errorMessage;
  if (pool.healthText) return pool.healthText;
  if (pool.waiting) return `It should be mounted. ${pool.waiting}`;
  if (pool.state === 'creating') return 'Being created. It can be used as soon as this has ended.';
  if (pool.state === 'deleting') return 'Being removed.';
  if (pool.state === 'unmounted') return 'Whole, but not mounted: its files cannot be reached now.';
  if (pool.health === 'unknown') return 'The machine has not been asked about it yet.';
  const text = pool.toleranceText.replace(/^It /i, '').replace(/\.$/, '');
  return text.startsWith('does not') ? `All is well, but it ${text}.` : `All is well. It ${text}.`;
}

/** Its drives as the planner of capacity takes them; spares, caches and logs add no space. */
export const plannedOf = ({ plugin, layout, options, members }: Pool) => ({
  ...{ plugin, layout, options },
  sizes: members.filter(({ role }) => role === 'data').map(({ sizeBytes }) => sizeBytes),
});

/** What it is made with, in a few words. */
export const kindText = (pool: Pool): string =>
  pool.pluginName.toLowerCase().includes(pool.layoutTitle.toLowerCase())
    ? pool.pluginName
    : `${pool.pluginName}, ${pool.layoutTitle}`;

/** Used share as df counts it; null while unmounted. */
export function usedShare(pool: Pool): number | null {
  if (pool.usedBytes === null || pool.availableBytes === null) return null;
  const total = pool.usedBytes + pool.availableBytes;
  return total === 0 ? 0 : pool.usedBytes / total;
}

export function usageTone(share: number | null): Tone {
  if (share === null) return 'quiet';
  if (share >= 0.95) return 'bad';
  return share >= 0.85 ? 'warn' : 'accent';
}

/** All pools in one line, the worst first. */
export function healthLine(pools: Pool[]): { tone: Tone; text: string } {
  if (pools.length === 0) return { tone: 'quiet', text: 'No pool yet' };
  const bad = pools.filter((pool) => poolTone(pool) === 'bad');
  if (bad[0])
    return {
      tone: 'bad',
      text: bad.length === 1 ? `${bad[0].label} needs you` : `${bad.length} pools need you`,
    };
  const warn = pools.filter((pool) => poolTone(pool) === 'warn');
  if (warn[0])
    return {
      tone: 'warn',
      text: warn.length === 1 ? `${warn[0].label} has a warning` : `${warn.length} pools have warnings`,
    };
  const busy = pools.filter((pool) => poolTone(pool) === 'accent').length;
  if (busy === pools.length) return { tone: 'accent', text: 'Work in progress' };
  return { tone: 'good', text: 'All is well' };
}
