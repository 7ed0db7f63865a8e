/** The table of used space over time. */
import { and, asc, desc, eq, gte, inArray, lt } from 'drizzle-orm';
import type { PoolSample } from '$lib/shared/wire/pool-history';
import type { Db } from '../db/client';
import { poolSamples } from '../db/schema';

const columns = { at: poolSamples.at, sizeBytes: poolSamples.sizeBytes, usedBytes: poolSamples.usedBytes };

export const lastSample = (db: Db, poolGuid: string): PoolSample | null =>
  db
    .select(columns)
    .from(poolSamples)
    .where(eq(poolSamples.poolGuid, poolGuid))
    .orderBy(desc(poolSamples.at))
    .limit(1)
    .get() ?? null;

export const insertSample = (db: Db, poolGuid: string, sample: PoolSample): void => {
  db.insert(poolSamples)
    .values({ poolGuid, ...sample })
    .onConflictDoNothing()
    .run();
};

/** Oldest first. */
export const samplesSince = (db: Db, poolGuid: string, from: number): PoolSample[] =>
  db
    .select(columns)
    .from(poolSamples)
    .where(and(eq(poolSamples.poolGuid, poolGuid), gte(poolSamples.at, from)))
    .orderBy(asc(poolSamples.at))
    .all();

export const sampledPools = (db: Db): string[] =>
  db
    .selectDistinct({ guid: poolSamples.poolGuid })
    .from(poolSamples)
    .all()
    .map(({ guid }) => guid);

export const timesBefore = (db: Db, poolGuid: string, at: number): number[] =>
  db
    .select({ at: poolSamples.at })
    .from(poolSamples)
    .where(and(eq(poolSamples.poolGuid, poolGuid), lt(poolSamples.at, at)))
    .orderBy(asc(poolSamples.at))
    .all()
    .map((row) => row.at);

export function deleteSamples(db: Db, poolGuid: string, times: number[]): void {
  // SQLite takes only so many values in one statement.
  for (let index = 0; index < times.length; index += 500)
    db.delete(poolSamples)
      .where(
        and(eq(poolSamples.poolGuid, poolGuid), inArray(poolSamples.at, times.slice(index, index + 500))),
      )
      .run();
}
