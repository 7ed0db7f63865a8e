/** Which samples are worth keeping, and which are worth drawing. Pure. */
import type { PoolSample, SampleRange } from '$lib/shared/wire/pool-history';

const DAY_MS = 86_400_000;
/** Everything for a month, then the last of each day for three years. */
export const FINE_MS = 30 * DAY_MS;
const COARSE_MS = 3 * 366 * DAY_MS;

/** @param times oldest first. @returns those to be forgotten */
export function forgotten(times: number[], now: number): number[] {
  return times.filter((at, index) => {
    if (at >= now - FINE_MS) return false;
    if (at < now - COARSE_MS) return true;
    const next = times[index + 1];
    return next !== undefined && Math.floor(next / DAY_MS) === Math.floor(at / DAY_MS);
  });
}

const SPANS: Record<SampleRange, number> = {
  ...{ day: DAY_MS, week: 7 * DAY_MS, month: 31 * DAY_MS, year: 366 * DAY_MS },
  all: COARSE_MS,
};
export const beginOf = (range: SampleRange, now: number): number => now - SPANS[range];

/** More points than pixels are no use: the last of each equal part of the time. @param samples oldest first */
export function drawn(samples: PoolSample[], most: number): PoolSample[] {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || samples.length <= most) return samples;
  const partMs = (last.at - first.at + 1) / most;
  const partOf = ({ at }: PoolSample): number => Math.floor((at - first.at) / partMs);
  return samples.filter((sample, index) => {
    const next = samples[index + 1];
    return next === undefined || partOf(next) !== partOf(sample);
  });
}
