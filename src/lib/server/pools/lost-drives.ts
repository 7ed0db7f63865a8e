/**
 * A drive that has left a running pool, before its tools were asked about it: they answer in a second or, when the drive
 * hangs, in many, and what was read before is not true any more. Pure.
 */
import type { PoolReading } from '$lib/plugin-api/storage';
import type { PoolRecord } from './store';

type Judgement = Pick<PoolReading, 'poolStatus' | 'health' | 'healthText'>;
interface Facts {
  drives: PoolRecord['drives'];
  /** How many of its data drives the layout can lose. */
  tolerance: number;
  isPresent: (driveId: string) => boolean;
}

const RUNNING: readonly PoolReading['poolStatus'][] = ['active', 'resync', 'degraded'];

/** @returns what was read, unless a data drive has left since: then what follows from that alone */
export function judgementOf(reading: PoolReading, { drives, tolerance, isPresent }: Facts): Judgement {
  if (!reading.mounted || !RUNNING.includes(reading.poolStatus)) return reading;
  const lost = drives.filter(({ role, driveId }) => role === 'data' && !isPresent(driveId));
  const isNews = lost.some(
    ({ driveId }) => reading.members.find((one) => one.driveId === driveId)?.status !== 'missing',
  );
  // Which drives of a layout may be lost together, only its tools know.
  if (!isNews || (tolerance > 0 && lost.length > tolerance)) return reading;
  const names = lost.map(({ serial, label }) => serial ?? label).join(', ');
  const gone = lost.length === 1 ? `Drive ${names} is not there` : `The drives ${names} are not there`;
  return tolerance === 0
    ? {
        poolStatus: 'failed',
        health: 'critical',
        healthText: `${gone}, and the pool cannot do without. Plug in what is missing.`,
      }
    : { poolStatus: 'degraded', health: 'critical', healthText: `${gone}. Plug it in again or replace it.` };
}
