/** What of an operation and of the kernel's work belongs into a pool's history, as sentences. Pure. */
import type { KernelWork, ScrubReading } from '$lib/plugin-api/storage';
import type { PoolEventKind } from '$lib/shared/states';
import type { Alert } from '$lib/shared/wire/alerts';
import type { Operation } from '$lib/shared/wire/operations';
import type { Pool } from '$lib/shared/wire/pools';

export interface EventText {
  kind: PoolEventKind;
  text: string;
}

const ENDS: Partial<Record<Operation['state'], string>> = {
  succeeded: 'done',
  failed: 'failed and was taken back',
  cancelled: 'cancelled and taken back',
  'needs-attention': 'needs a decision',
};
const VERDICTS: Record<NonNullable<Operation['verdict']>, string> = {
  'finished-anyway': 'had been finished before an interruption',
  continued: 'continued after an interruption',
  'taken-back': 'taken back after an interruption',
  'needs-you': 'interrupted',
};

/** `Create pool "tank": done`, with what recovery decided and why it failed. */
export function operationEvent(operation: Operation): EventText {
  const { state, verdict } = operation;
  const end = ENDS[state] ?? state;
  const parts =
    verdict === 'taken-back' ? [VERDICTS[verdict]] : [end, ...(verdict ? [VERDICTS[verdict]] : [])];
  const why = state === 'succeeded' ? '' : (operation.error?.message ?? '');
  const text = `${operation.title}: ${parts.join(', ')}.`;
  return { kind: 'operation', text: why ? `${text} ${why}` : text };
}

/** Alerts about the state of a pool are its degradations; the pool is in their id (`pool:<guid>:degraded`). */
const DEGRADATIONS = new Set(['pool.degraded', 'pool.failed', 'pool.faulty-member']);

export function alertEvent(
  alert: Alert,
  change: 'raised' | 'resolved',
): (EventText & { guid: string }) | null {
  const guid = alert.id.split(':')[1];
  if (!DEGRADATIONS.has(alert.kind) || guid === undefined) return null;
  return change === 'raised'
    ? { guid, kind: 'degraded', text: `${alert.title}. ${alert.text}` }
    : { guid, kind: 'recovered', text: `Over: ${alert.title}.` };
}

const WORK_WORDS: Record<KernelWork['kind'], string> = {
  resync: 'Resync',
  rebuild: 'Rebuild',
  reshape: 'Reshape',
  scrub: 'Scrub',
  balance: 'Balance',
  evacuate: 'Move of data',
};
const began = (kind: KernelWork['kind']): string => `${WORK_WORDS[kind]} began`;

function scrubEnd(last: ScrubReading | null): string {
  if (!last) return 'Scrub ended.';
  const found =
    last.errors + last.uncorrectable === 0
      ? 'no errors were found'
      : `${last.errors} damaged places were found, ${last.uncorrectable} could not be mended`;
  return last.state === 'finished'
    ? `Scrub ended: ${found}.`
    : `Scrub was ${last.state}: until then ${found}.`;
}

/**
 * What the kernel began and ended since the history was last written.
 * @param isOpen was the last thing written about this kind of work that it began?
 */
export function workEvents(
  pool: Pick<Pool, 'work' | 'lastScrub'>,
  isOpen: (beginText: string, kind: PoolEventKind, word: string) => boolean,
): EventText[] {
  return (Object.keys(WORK_WORDS) as KernelWork['kind'][]).flatMap((kind): EventText[] => {
    const eventKind = kind === 'scrub' ? 'scrub' : 'work';
    const word = WORK_WORDS[kind];
    const now = pool.work.find((work) => work.kind === kind);
    const open = isOpen(began(kind), eventKind, word);
    if (now && !open) return [{ kind: eventKind, text: `${began(kind)}: ${now.title}.` }];
    if (now || !open) return [];
    return [{ kind: eventKind, text: kind === 'scrub' ? scrubEnd(pool.lastScrub) : `${word} ended.` }];
  });
}
