/** What of the tables makes a configuration. What is secret, and what only says how things are at the moment, stays out. */
import { eq, inArray } from 'drizzle-orm';
import type { Json } from '$lib/shared/json';
import type { ConfigurationContent } from '$lib/shared/wire/configuration';
import type { Db } from '../db/client';
import {
  apiKeys,
  catalogEntries,
  channels,
  drives,
  images,
  meta,
  pools,
  poolDrives,
  poolSnapshots,
  schedules,
  users,
} from '../db/schema';

/** Of the settings that are kept as words, those that a person has chosen. */
export const SETTINGS = ['removed-vms-keep-days', 'notifications-base-url'] as const;
const SEQUENCE = 'configuration-sequence';
const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null)) as Json;

export const poolRows = (db: Db): ConfigurationContent['pools'] =>
  db
    .select()
    .from(pools)
    .where(inArray(pools.state, ['ready', 'unmounted', 'error']))
    .all()
    .map(({ guid, label, plugin, layout, options, mountPath, wantMounted }) => ({
      ...{ guid, label, plugin, layout, options, mountPath, wantMounted },
      drives: db
        .select()
        .from(poolDrives)
        .where(eq(poolDrives.poolGuid, guid))
        .all()
        .map((row) => ({
          ...{ slot: row.slot, serial: row.serial, label: row.label, sizeBytes: row.sizeBytes },
        })),
    }));

/** Those of which a person has said something. */
export const driveRows = (db: Db): ConfigurationContent['drives'] =>
  db
    .select()
    .from(drives)
    .all()
    .filter(({ bayLabel, protectedByUser }) => bayLabel !== null || protectedByUser)
    .map(({ id, serial, model, sizeBytes, bayLabel, protectedByUser }) => ({
      ...{ id, serial, model, sizeBytes, bayLabel, protectedByUser },
    }));

export const imageRows = (db: Db): ConfigurationContent['images'] =>
  db
    .select()
    .from(images)
    .where(eq(images.state, 'ready'))
    .all()
    .map(({ state: _, os, checksum, ...row }) => ({ ...row, os: asJson(os), checksum: asJson(checksum) }));

export const otherRows = (
  db: Db,
): Pick<
  ConfigurationContent,
  'catalogEntries' | 'schedules' | 'snapshots' | 'channels' | 'users' | 'apiKeys' | 'settings'
> => ({
  catalogEntries: db.select().from(catalogEntries).all(),
  schedules: db
    .select()
    .from(schedules)
    .all()
    .map(({ lastRunAt: _, lastError: __, ...row }) => row),
  snapshots: db.select().from(poolSnapshots).all(),
  channels: db
    .select()
    .from(channels)
    .all()
    .map(({ secretsRef: _, quietHours, ...row }) => ({ ...row, quietHours: asJson(quietHours) })),
  users: db
    .select()
    .from(users)
    .all()
    .map(({ username, role }) => ({ name: username, role })),
  apiKeys: db
    .select({ name: apiKeys.name })
    .from(apiKeys)
    .all()
    .map(({ name }) => name),
  settings: Object.fromEntries(
    db
      .select()
      .from(meta)
      .where(inArray(meta.key, [...SETTINGS]))
      .all()
      .map(({ key, value }) => [key, value]),
  ),
});

export function metaValue(db: Db, key: string): string | null {
  return db.select().from(meta).where(eq(meta.key, key)).get()?.value ?? null;
}
export function putMeta(db: Pick<Db, 'insert'>, key: string, value: string): void {
  db.insert(meta).values({ key, value }).onConflictDoUpdate({ target: meta.key, set: { value } }).run();
}

/** Rises with each copy, and is never given twice. @param atLeast what is on a pool already: the database may be an older one */
export function nextSequence(db: Db, atLeast: number): number {
  const next = Math.max(Number(metaValue(db, SEQUENCE) ?? 0), atLeast) + 1;
  putMeta(db, SEQUENCE, String(next));
  return next;
}
