/** What drives said about their health: the last reading of each, and a history that goes with the drive, not with its port. */
import { and, asc, eq, gte, lt, sql } from 'drizzle-orm';
import type { JsonObject } from '$lib/shared/json';
import type { DriveSample, SmartCounters } from '$lib/shared/wire/drives';
import type { Db } from '../db/client';
import { driveHealth, driveSamples } from '../db/schema';
import type { SmartReading } from '../host/smart-answer';

export interface StoredReading {
  readAt: number;
  reading: SmartReading;
}

const DAY_MS = 86_400_000;
/** Every reading is kept for this long, then four a day. */
const WHOLE_MS = 30 * DAY_MS;
const THIN_MS = 6 * 3_600_000;
const LONGEST_MS = 800 * DAY_MS;

export const lastReadings = (db: Db): Map<string, StoredReading> =>
  new Map(
    db
      .select()
      .from(driveHealth)
      .all()
      .map(({ driveId, readAt, reading }) => [
        driveId,
        { readAt, reading: reading as unknown as SmartReading },
      ]),
  );

export function putReading(db: Db, driveId: string, { readAt, reading }: StoredReading): void {
  const { temperatureCelsius, counters } = reading;
  const row = { readAt, reading: reading as unknown as JsonObject };
  db.transaction((tx) => {
    tx.insert(driveHealth)
      .values({ driveId, ...row })
      .onConflictDoUpdate({ target: driveHealth.driveId, set: row })
      .run();
    tx.insert(driveSamples)
      .values({ driveId, at: readAt, temperatureCelsius, counters: { ...counters } })
      .onConflictDoNothing()
      .run();
  });
}

/** Counters of the first reading since a time; none: nothing was read since. */
export const firstCountersSince = (db: Db, driveId: string, since: number): SmartCounters =>
  db
    .select({ counters: driveSamples.counters })
    .from(driveSamples)
    .where(and(eq(driveSamples.driveId, driveId), gte(driveSamples.at, since)))
    .orderBy(asc(driveSamples.at))
    .limit(1)
    .get()?.counters ?? {};

/** Oldest first. */
export const samplesSince = (db: Db, driveId: string, since: number): DriveSample[] =>
  db
    .select({
      at: driveSamples.at,
      temperatureCelsius: driveSamples.temperatureCelsius,
      counters: driveSamples.counters,
    })
    .from(driveSamples)
    .where(and(eq(driveSamples.driveId, driveId), gte(driveSamples.at, since)))
    .orderBy(asc(driveSamples.at))
    .all();

/** Old points become fewer: the first of every six hours stays. */
export function thinSamples(db: Db, now: number): void {
  db.transaction((tx) => {
    tx.delete(driveSamples)
      .where(lt(driveSamples.at, now - LONGEST_MS))
      .run();
    tx.delete(driveSamples)
      .where(
        and(
          lt(driveSamples.at, now - WHOLE_MS),
          // Numbers are bound as floating point: without the casts there would be no buckets.
          sql`at > (SELECT min(first.at) FROM drive_samples AS first
            WHERE first.drive_id = drive_samples.drive_id
              AND first.at / CAST(${THIN_MS} AS INTEGER) = drive_samples.at / CAST(${THIN_MS} AS INTEGER))`,
        ),
      )
      .run();
  });
}
