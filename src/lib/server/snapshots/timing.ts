/** When a schedule runs, by the local clock of the appliance, and what its retention keeps. Pure. */
import type { SchedulePreview, SnapshotPlanRequest, SnapshotTiming } from '$lib/shared/wire/snapshots';
import type { SnapshotTier } from '$lib/shared/snapshot-tiers';
import { readName } from '$lib/shared/snapshot-names';

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const two = (value: number): string => String(value).padStart(2, '0');

/** As crontab(5) writes it. */
export function cronOf(tier: SnapshotTier, { minute, hour, weekday, day }: SnapshotTiming): string {
  const fields = {
    hourly: `${minute} * * * *`,
    daily: `${minute} ${hour} * * *`,
    weekly: `${minute} ${hour} * * ${weekday}`,
    monthly: `${minute} ${hour} ${day} * *`,
  };
  return fields[tier];
}

export function textOf(tier: SnapshotTier, { minute, hour, weekday, day }: SnapshotTiming): string {
  const at = `${two(hour)}:${two(minute)}`;
  const texts = {
    hourly: minute === 0 ? 'Every hour, on the hour' : `Every hour at ${minute} minutes past`,
    daily: `Every day at ${at}`,
    weekly: `Every ${WEEKDAYS[weekday] ?? 'week'} at ${at}`,
    monthly: `On day ${day} of every month at ${at}`,
  };
  return texts[tier];
}

/** The run of the period in which `at` lies, moved by so many periods. Local time, so that 03:00 stays 03:00 in summer. */
function runIn(tier: SnapshotTier, timing: SnapshotTiming, at: number, periods: number): number {
  const now = new Date(at);
  const [year, month, date] = [now.getFullYear(), now.getMonth(), now.getDate()];
  const { minute, hour, weekday, day } = timing;
  switch (tier) {
    case 'hourly':
      // Hours of the clock, not of the calendar: the one that summer time leaves out must not be looked for.
      return new Date(at).setMinutes(minute, 0, 0) + periods * 3_600_000;
    case 'daily':
      return new Date(year, month, date + periods, hour, minute).getTime();
    case 'weekly':
      return new Date(year, month, date - now.getDay() + weekday + 7 * periods, hour, minute).getTime();
    case 'monthly':
      return new Date(year, month + periods, day, hour, minute).getTime();
  }
}

/** The last time at or before `at` at which it should have run. */
export function lastDue(tier: SnapshotTier, timing: SnapshotTiming, at: number): number {
  for (let periods = 1; ; periods -= 1) {
    const run = runIn(tier, timing, at, periods);
    if (run <= at) return run;
  }
}

/** The next times after `at`. */
export function nextRuns(tier: SnapshotTier, timing: SnapshotTiming, at: number, count: number): number[] {
  const runs: number[] = [];
  for (let periods = -1; runs.length < count; periods += 1) {
    const run = runIn(tier, timing, at, periods);
    if (run > at && run !== runs.at(-1)) runs.push(run);
  }
  return runs;
}

/**
 * Is a run to be made up for or to be made now? However many were missed, it is one.
 * @param ranAt when it ran last, or was made; a time in the future is that of a clock that was wrong
 */
export const isDue = (tier: SnapshotTier, timing: SnapshotTiming, ranAt: number, now: number): boolean =>
  ranAt > now || lastDue(tier, timing, now) > ranAt;

/**
 * Those of this tier that are too many, oldest first. Only what a schedule of this Cairn made can be among them: both the name
 * and the record say so. One from the future was made while the clock was wrong: it counts for nothing, and stays.
 * @param isOurs what the records say
 */
export function tooMany(
  names: string[],
  { tier, keep, now }: { tier: SnapshotTier; keep: number; now: number },
  isOurs: (name: string) => boolean,
): string[] {
  const own = names
    .flatMap((name) => {
      const { origin, tier: its, at } = readName(name);
      return origin === 'schedule' && its === tier && at !== null && at <= now && isOurs(name)
        ? [{ name, at }]
        : [];
    })
    .sort((a, b) => a.at - b.at);
  return own.slice(0, Math.max(0, own.length - Math.max(1, keep))).map(({ name }) => name);
}

const UNITS = { hourly: 'hour', daily: 'day', weekly: 'week', monthly: 'month' } as const;
function keepsText({ tier, keep }: Pick<SnapshotPlanRequest, 'tier' | 'keep'>): string {
  const unit = UNITS[tier];
  const count = keep === 1 ? 'Only the newest one is kept' : `The newest ${keep} are kept`;
  return `${count}: you can go back ${keep === 1 ? `one ${unit}` : `${keep} ${unit}s`}. Older ones that this schedule made are removed; what you take by hand stays until you remove it.`;
}

export const previewSchedule = (wanted: SnapshotPlanRequest, now: number): SchedulePreview => ({
  text: textOf(wanted.tier, wanted.timing),
  nextRunsAt: nextRuns(wanted.tier, wanted.timing, now, 3),
  keeps: keepsText(wanted),
});
