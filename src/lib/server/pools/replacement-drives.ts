/** What drives are to a replacement: those that are out by mistake, and those that could take the place. Pure. */
import { callOf } from '$lib/shared/names';
import { formatBytes } from '$lib/shared/units';
import type { Drive } from '$lib/shared/wire/drives';
import type { Pool } from '$lib/shared/wire/pools';
import type { Finding, Newcomer, WrongPull } from '$lib/shared/wire/replacements';
import { contentLines } from '../drives/erasure';

/** How many more drives the pool may lose; below 0: more are out than its layout survives. `without` counts as lost too. */
export function marginOf(
  pool: Pool,
  tolerance: number,
  isPresent: (driveId: string) => boolean,
  without: string | null = null,
): number {
  const lost = pool.members.filter(
    ({ role, driveId, status }) =>
      role === 'data' &&
      (driveId === without || !isPresent(driveId) || !(status === 'active' || status === 'unknown')),
  );
  return tolerance - lost.length;
}

const more = (count: number): string => `${count} more ${count === 1 ? 'drive' : 'drives'}`;

/** What it means for a pool that a member is out. */
export function lossOf(pool: Pool, margin: number): Pick<WrongPull, 'text' | 'severity'> {
  const put = 'Put it back where it was.';
  if (margin < 0)
    return {
      severity: 'critical',
      text: `It belongs to the pool "${pool.label}", which cannot work without it. ${put} Change nothing else until the pool is there again.`,
    };
  if (margin === 0)
    return {
      severity: 'critical',
      text: `It belongs to the pool "${pool.label}", which works on, but loses data with the next drive. ${put}`,
    };
  return {
    severity: 'warning',
    text: `It belongs to the pool "${pool.label}", which works on and survives the loss of ${more(margin)}. ${put}`,
  };
}

export interface WrongFacts {
  /** Drives that were there when it began, and the new one: they should be there still. */
  expected: string[];
  drives: Drive[];
  poolOf: (guid: string) => { pool: Pool; margin: number } | null;
  /** Also drives of no pool: while a person is at the machine's bays. */
  all: boolean;
}
export function wrongPulls({ expected, drives, poolOf, all }: WrongFacts): WrongPull[] {
  return expected.flatMap((id): WrongPull[] => {
    const drive = drives.find((one) => one.id === id);
    if (!drive || drive.present) return [];
    const found = drive.pool ? poolOf(drive.pool.guid) : null;
    if (!found && !all) return [];
    const nothing = { severity: 'info', text: 'It belongs to no pool: nothing is lost.' } as const;
    const loss = found ? lossOf(found.pool, found.margin) : nothing;
    return [{ driveId: id, serial: drive.serial, name: callOf(drive), ...loss }];
  });
}

function sizeFinding(drive: Drive, leastBytes: number): Finding {
  const size = formatBytes(drive.sizeBytes);
  return drive.sizeBytes < leastBytes
    ? { tone: 'bad', text: `Too small: ${size}, at least ${formatBytes(leastBytes)} are needed.` }
    : { tone: 'good', text: `Large enough: ${size}.` };
}
function healthFinding({ health }: Drive): Finding {
  const { pending = 0, uncorrectable = 0, reallocated = 0, wornPercent = 0 } = health.counters;
  if (health.status === 'failing')
    return { tone: 'bad', text: `Failing: ${health.text ?? 'it says so itself.'}` };
  if (health.status !== 'passed')
    return { tone: 'warn', text: `Its health is not known. ${health.text ?? ''}`.trim() };
  if (pending + uncorrectable + reallocated > 0)
    return {
      tone: 'warn',
      text: `It has had bad sectors: ${reallocated} replaced, ${pending} unreadable, ${uncorrectable} uncorrected errors.`,
    };
  if (wornPercent >= 80) return { tone: 'warn', text: `${wornPercent} % of what it may write is used up.` };
  const hours =
    health.powerOnHours === null ? '' : `, ${health.powerOnHours.toLocaleString('en')} hours of use`;
  return { tone: 'good', text: `Healthy by its own account${hours}.` };
}
function contentFinding(drive: Drive): Finding {
  if (!drive.probed) return { tone: 'warn', text: 'What is on it is being read.' };
  const lines = contentLines(drive);
  return lines.length === 0
    ? { tone: 'good', text: 'Nothing is on it.' }
    : { tone: 'warn', text: `Is erased: ${lines.join(', ')}.` };
}

/** @param here drives that were there when the replacement was begun */
export function newcomersOf(
  drives: Drive[],
  facts: { oldId: string; here: string[]; leastBytes: number },
): Newcomer[] {
  const { oldId, here, leastBytes } = facts;
  return (
    drives
      .filter(({ present, pool, id }) => present && !pool && id !== oldId)
      .filter(({ protection }) => protection !== 'system' && protection !== 'sandbox-mode')
      .map((drive): Newcomer => {
        const findings = [sizeFinding(drive, leastBytes), healthFinding(drive), contentFinding(drive)];
        const [issue] = drive.issues;
        const nameless =
          drive.identity === 'strong' ? null : 'It has no serial number that tells it from others.';
        const why = issue?.message ?? nameless ?? findings.find(({ tone }) => tone === 'bad')?.text ?? null;
        const isNew = !here.includes(drive.id);
        return {
          driveId: drive.id,
          serial: drive.serial,
          name: callOf(drive),
          sizeBytes: drive.sizeBytes,
          isNew,
          findings,
          why,
        };
      })
      // What was there before and cannot be used is nobody's concern here.
      .filter(
        ({ isNew, driveId }) => isNew || drives.some(({ id, group }) => id === driveId && group === 'free'),
      )
      .sort((a, b) => Number(b.isNew) - Number(a.isNew) || Number(a.why !== null) - Number(b.why !== null))
  );
}
