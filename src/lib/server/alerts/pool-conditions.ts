/** The conditions of pools, from their documents. Pure. */
import { formatBytes } from '$lib/shared/units';
import type { Pool, PoolMember } from '$lib/shared/wire/pools';
import type { Condition, Held, Judgement } from './condition';
import { fullness } from './near-full';

const idOf = (pool: Pool, suffix: string): string => `pool:${pool.guid}:${suffix}`;
const nameOf = (member: PoolMember): string => member.serial ?? member.label;

type Words = Pick<Condition, 'severity' | 'title' | 'text' | 'remedy'>;
const about = (pool: Pool, suffix: string, words: Words): Condition => ({
  id: idOf(pool, suffix),
  kind: `pool.${suffix}`,
  subject: { type: 'pool', id: pool.guid, label: pool.label },
  ...words,
});

/** A member is named by its serial; the alert leads to the drive. */
const aboutMember = (pool: Pool, member: PoolMember, suffix: string, words: Words): Condition => ({
  ...about(pool, suffix, words),
  id: idOf(pool, `${suffix}:${member.driveId}`),
  subject: { type: 'drive', id: member.driveId, label: nameOf(member) },
});

function failedTitle({ source, poolStatus, label }: Pool): string {
  if (source !== null) return `Pool "${label}" cannot reach ${source}`;
  return poolStatus === 'missing'
    ? `The drives of pool "${label}" are not there`
    : `Pool "${label}" has failed`;
}

function state(pool: Pool): Condition[] {
  const text = pool.healthText ?? 'Its tools say no more about it.';
  if (pool.poolStatus === 'failed' || pool.poolStatus === 'missing')
    return [
      about(pool, 'failed', {
        severity: 'critical',
        title: failedTitle(pool),
        text,
        remedy:
          pool.source === null
            ? 'Plug in every drive that belongs to it; do not erase any of them.'
            : 'Look at that machine: whether it is on, reached by the network, and still shares this.',
      }),
    ];
  if (pool.poolStatus === 'degraded') return [degraded(pool, text)];
  return [];
}

/** The drives because of which a pool is degraded: those that are not there, else those that are faulty. */
function culprits(pool: Pool): PoolMember[] {
  if (pool.poolStatus !== 'degraded') return [];
  const missing = pool.members.filter((member) => member.status === 'missing');
  return missing.length > 0 ? missing : pool.members.filter((member) => member.status === 'faulty');
}

/** One condition, not one for the pool and one for its drive: it is one thing to do. */
function degraded(pool: Pool, text: string): Condition {
  const drives = culprits(pool);
  const are = drives.length === 1 ? 'is' : 'are';
  const what = drives.some((drive) => drive.status === 'missing') ? `${are} missing` : `${are} faulty`;
  const names = `${drives.length === 1 ? 'drive' : 'drives'} ${drives.map(nameOf).join(', ')}`;
  const places = drives.map(
    (drive) =>
      `${nameOf(drive)}: ${formatBytes(drive.sizeBytes)}, place ${drive.slot + 1}${drive.detail ? `, ${drive.detail}` : ''}.`,
  );
  return about(pool, 'degraded', {
    severity: pool.health === 'critical' ? 'critical' : 'warning',
    title: `Pool "${pool.label}" is degraded${drives.length > 0 ? `: ${names} ${what}` : ''}`,
    text: [text, ...places].join(' '),
    remedy: 'Plug the drive in again, or replace it. Until then make sure that there is a backup.',
  });
}

/** Said already by what is said about the pool. */
const isTold = (pool: Pool, member: PoolMember): boolean =>
  culprits(pool).includes(member) || pool.poolStatus === 'failed' || pool.poolStatus === 'missing';

function members(pool: Pool): Condition[] {
  return pool.members.flatMap((member): Condition[] => {
    if (isTold(pool, member)) return [];
    const detail = member.detail ? ` It says: ${member.detail}.` : '';
    if (member.status === 'missing')
      return [
        aboutMember(pool, member, 'missing-member', {
          severity: pool.health === 'critical' ? 'critical' : 'warning',
          title: `Drive ${nameOf(member)} is missing`,
          text: `It belongs to the pool "${pool.label}" (${formatBytes(member.sizeBytes)}, place ${member.slot + 1}).${detail}`,
          remedy: 'Plug it in again; when it is broken, replace it.',
        }),
      ];
    if (member.status === 'faulty')
      return [
        aboutMember(pool, member, 'faulty-member', {
          severity: 'critical',
          title: `Drive ${nameOf(member)} has errors`,
          text: `The pool "${pool.label}" met errors when it read or wrote it.${detail}`,
          remedy: `Check cable and power${pool.verbs['clear-errors'].allowed ? ', then clear the error counters of the pool: it is over then' : ''}. When errors come again, replace the drive.`,
        }),
      ];
    return [];
  });
}

function scrub(pool: Pool): Condition[] {
  const last = pool.lastScrub;
  if (!last || last.errors + last.uncorrectable === 0) return [];
  const lost = last.uncorrectable > 0;
  return [
    about(pool, 'scrub-errors', {
      severity: lost ? 'critical' : 'warning',
      title: `The last scrub of pool "${pool.label}" found errors`,
      text: lost
        ? `${last.errors} damaged places were found; ${last.uncorrectable} could not be mended: files there are lost.`
        : `${last.errors} damaged places were found, and mended from another copy.`,
      remedy: lost
        ? 'Restore what is damaged from a backup, look at the health of the drives, then scrub again.'
        : 'Look at the health of its drives, then scrub again: a clean scrub resolves this.',
    }),
  ];
}

function nearFull(pool: Pool, held: Held): Condition[] {
  if (pool.usedBytes === null || pool.availableBytes === null) return [];
  const total = pool.usedBytes + pool.availableBytes;
  const severity = total === 0 ? null : fullness(pool.usedBytes / total, held(idOf(pool, 'near-full')));
  if (severity === null) return [];
  return [
    about(pool, 'near-full', {
      severity,
      title: `Pool "${pool.label}" is ${severity === 'critical' ? 'almost' : 'nearly'} full`,
      text: `${Math.floor((pool.usedBytes / total) * 100)} % of it is used.`,
      remedy: 'Delete or move what is not needed, or add a drive.',
    }),
  ];
}

function notMounted(pool: Pool): Condition[] {
  // While one of its operations is at work, and when its drives are not there, another alert says more.
  const expected = pool.state === 'ready' && pool.operationId === null;
  if (!expected || pool.mounted || pool.poolStatus === 'failed' || pool.poolStatus === 'missing') return [];
  return [
    about(pool, 'not-mounted', {
      severity: 'warning',
      title: `Pool "${pool.label}" is not mounted`,
      text: `It should be at ${pool.mountPath}. What uses it finds an empty folder there. ${pool.waiting ?? ''}`.trim(),
      remedy: 'Mount it. When it was unmounted on purpose, acknowledge this.',
    }),
  ];
}

function broken(pool: Pool): Condition[] {
  // Of a server that is gone another alert tells.
  const isGone = pool.source !== null && (pool.poolStatus === 'failed' || pool.poolStatus === 'missing');
  if (pool.state !== 'error' || isGone) return [];
  return [
    about(pool, 'error', {
      severity: 'critical',
      title: `Pool "${pool.label}" needs you`,
      text: pool.errorMessage ?? 'An operation on it could not be finished.',
      remedy: 'Open the pool and decide how to go on.',
    }),
  ];
}

function unreadable(pool: Pool, pluginWorks: boolean): Condition[] {
  if (!pluginWorks || pool.healthText === null) return [];
  return [
    about(pool, 'unreadable', {
      severity: 'critical',
      title: `Pool "${pool.label}" cannot be read`,
      text: pool.healthText,
      remedy: 'Nothing is known about its state now. Look at its drives and at the log.',
    }),
  ];
}

/** Has nobody an answer about it now: not asked yet, or in the hands of the operation that makes or removes it. */
const isUnsettled = (pool: Pool): boolean =>
  pool.readAt === null || pool.state === 'creating' || pool.state === 'deleting';

/** @param worksNow can the plugin be used? */
export function poolConditions(
  pools: Pool[],
  worksNow: (pluginId: string) => boolean,
  held: Held,
): Judgement {
  const unknown: string[] = [];
  const conditions = pools.flatMap((pool) => {
    if (isUnsettled(pool)) {
      unknown.push(idOf(pool, ''));
      return [];
    }
    if (pool.poolStatus === null) {
      for (const suffix of [
        'failed',
        'degraded',
        'missing-member',
        'faulty-member',
        'scrub-errors',
        'near-full',
      ])
        unknown.push(idOf(pool, suffix));
      return [...broken(pool), ...unreadable(pool, worksNow(pool.plugin))];
    }
    // Nobody knows how full it is while it is not mounted.
    if (pool.usedBytes === null) unknown.push(idOf(pool, 'near-full'));
    if (!pool.lastScrub && !pool.mounted) unknown.push(idOf(pool, 'scrub-errors'));
    return [
      ...[...broken(pool), ...state(pool), ...members(pool)],
      ...[...scrub(pool), ...nearFull(pool, held), ...notMounted(pool)],
    ];
  });
  return { conditions, unknown: (id) => unknown.some((begin) => id.startsWith(begin)) };
}
