/** What speaks against each drive of a pool, from all that is known about it: pure. */
import type { Alert } from '$lib/shared/wire/alerts';
import type { Drive, SmartCounter } from '$lib/shared/wire/drives';
import type { Pool, PoolMember } from '$lib/shared/wire/pools';
import type { Tone } from '$lib/ui/tone';
import { severityTone } from '../alerts/words';
import { counterTone, counterWords, hoursText } from '../drives/health-words';

export interface EvidenceLine {
  tone: Tone;
  text: string;
}
export interface Evidence {
  member: PoolMember;
  drive: Drive | undefined;
  lines: EvidenceLine[];
  /** 0: nothing speaks against it. */
  weight: number;
}

const WEIGHT: Record<Tone, number> = { bad: 10, warn: 3, accent: 0, quiet: 0, good: 0 };
/** Conditions that say of a counter what its number alone does not: that it grew. */
const TOLD_BY: Partial<Record<SmartCounter, string>> = {
  pending: 'drive.unreadable-sectors',
  uncorrectable: 'drive.unreadable-sectors',
  reallocated: 'drive.reallocated',
  crc: 'drive.transfer',
  wornPercent: 'drive.worn',
};

function ofMember({ status, detail }: PoolMember, drive: Drive | undefined): EvidenceLine[] {
  const more = detail ? [{ tone: 'bad' as const, text: detail }] : [];
  if (!drive?.present)
    return [{ tone: 'bad', text: 'It is not plugged in, or it does not answer any more.' }];
  if (status === 'missing') return [{ tone: 'bad', text: 'The pool runs without it.' }, ...more];
  if (status === 'faulty') return [{ tone: 'bad', text: 'The pool met errors on it.' }, ...more];
  if (status === 'rebuilding') return [{ tone: 'accent', text: 'Its content is being rebuilt.' }];
  return detail ? [{ tone: 'warn', text: detail }] : [];
}

function ofHealth(drive: Drive, told: ReadonlySet<string>): EvidenceLine[] {
  const { status, text, counters, selfTest, powerOnHours } = drive.health;
  const lines: EvidenceLine[] = [];
  if (status === 'failing' && !told.has('drive.failing'))
    lines.push({ tone: 'bad', text: text ?? 'It says itself that it is about to fail.' });
  for (const [name, value] of Object.entries(counters) as [SmartCounter, number][]) {
    const tone = counterTone(name, value);
    if (tone === 'quiet' || told.has(TOLD_BY[name] ?? '')) continue;
    lines.push({ tone, text: `${counterWords[name].title}: ${value}${counterWords[name].unit}` });
  }
  const last = selfTest.log.find(({ result }) => result !== 'broken-off');
  if (last?.result === 'failed' && !told.has('drive.self-test'))
    lines.push({ tone: 'bad', text: `It failed its last self-test: ${last.text}.` });
  if (powerOnHours !== null && powerOnHours > 5 * 8_766)
    lines.push({ tone: 'quiet', text: `In use for ${hoursText(powerOnHours)}` });
  return lines;
}

export function evidenceOf(
  pool: Pool,
  drives: ReadonlyMap<string, Drive>,
  alerts: Iterable<Alert>,
): Evidence[] {
  const open = [...alerts];
  return pool.members
    .map((member): Evidence => {
      const drive = drives.get(member.driveId);
      const own = open.filter(
        ({ subject, kind }) => subject.id === member.driveId && kind.startsWith('drive.'),
      );
      const told = new Set(own.map(({ kind }) => kind));
      const lines = [
        ...ofMember(member, drive),
        ...own.map(({ severity, text }) => ({ tone: severityTone[severity], text })),
        ...(drive ? ofHealth(drive, told) : []),
      ];
      const weight = lines.reduce((sum, { tone }) => sum + WEIGHT[tone], 0);
      return { member, drive, lines, weight };
    })
    .sort((a, b) => b.weight - a.weight || a.member.slot - b.member.slot);
}
