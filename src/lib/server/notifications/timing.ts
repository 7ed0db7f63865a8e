/** When a message may be told: quiet hours and digests, by the local clock of the host. Pure. */
import type { AlertSeverity } from '$lib/shared/wire/alerts';

export interface TellingTimes {
  quietHours: { from: string; until: string } | null;
  digestAt: string | null;
  criticalAtOnce: boolean;
}

/** The moment of this day, moved by so many days, at which the clock shows `time`. */
function momentOf(time: string, at: number, days = 0): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const day = new Date(at);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, hour, minute).getTime();
}

/** The end of the quiet hours in which `at` lies; null: it lies in none. They may begin in the evening and end in the morning. */
export function quietUntil(quiet: TellingTimes['quietHours'], at: number): number | null {
  if (!quiet) return null;
  for (const days of [-1, 0]) {
    const begin = momentOf(quiet.from, at, days);
    const sameDay = quiet.until > quiet.from;
    const end = momentOf(quiet.until, at, sameDay ? days : days + 1);
    if (begin <= at && at < end) return end;
  }
  return null;
}

const nextDigest = (time: string, at: number): number => {
  const today = momentOf(time, at);
  return today > at ? today : momentOf(time, at, 1);
};

/** When what happens at `at` may be told; null: at once. */
export function heldUntil(times: TellingTimes, severity: AlertSeverity, at: number): number | null {
  if (severity === 'critical' && times.criticalAtOnce) return null;
  if (times.digestAt === null) return quietUntil(times.quietHours, at);
  const digest = nextDigest(times.digestAt, at);
  return quietUntil(times.quietHours, digest) ?? digest;
}

const SECOND = 1_000;
const BACK_OFF_MS = [30, 60, 120, 300, 600, 1_800].map((seconds) => seconds * SECOND);
const MOST_BACK_OFF_MS = 3_600 * SECOND;
/** So long a message is tried; who reads it later would be misled. */
export const GIVEN_UP_AFTER_MS = 7 * 24 * 3_600 * SECOND;
/** So long a message may be on its way before the page says that it does not arrive. */
export const LATE_AFTER_MS = 24 * 3_600 * SECOND;

/**
 * @param attempts that failed, at least one
 * @param askedMs how long the other side asked to be left alone
 */
export const retryInMs = (attempts: number, askedMs: number | null): number =>
  Math.min(MOST_BACK_OFF_MS, Math.max(BACK_OFF_MS[attempts - 1] ?? MOST_BACK_OFF_MS, askedMs ?? 0));
