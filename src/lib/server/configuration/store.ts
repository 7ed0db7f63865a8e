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
  removedVms,
  schedules,
  users,
  userTotp,
} from '../db/schema';

/** Of the settings that are kept as words, those that a person has chosen. */
const SETTINGS = ['removed-vms-keep-days', 'notifications-base-url', 'update-skipped'];
/** A setting a thing: pools that were found and are to be left alone. */
const SETTINGS_OF_THINGS = 'found.ignored:';
export const isSetting = (key: string): boolean =>
  SETTINGS.includes(key) || key.startsWith(SETTINGS_OF_THINGS);
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
    .filter(
      ({ bayLabel, protectedByUser, setAsideAt }) =>
        bayLabel !== null || protectedByUser || setAsideAt !== null,
    )
    .map(({ id, serial, model, sizeBytes, bayLabel, protectedByUser, setAsideAt, setAsideWhy }) => ({
      ...{ id, serial, model, sizeBytes, bayLabel, protectedByUser },
      setAsideWhy: setAsideAt === null ? null : (setAsideWhy ?? ''),
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
  'catalogEntries' | 'schedules' | 'snapshots' | 'channels' | 'users' | 'apiKeys' | 'removedVms' | 'settings'
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
    .leftJoin(userTotp, eq(userTotp.userId, users.id))
    .all()
    .map(({ users: { username, role }, user_totp: totp }) => ({
      ...{ name: username, role },
      secondFactor: totp !== null,
    })),
  apiKeys: db
    .select({ name: apiKeys.name })
    .from(apiKeys)
    .all()
    .map(({ name }) => name),
  removedVms: db
    .select()
    .from(removedVms)
    .all()
    .map(({ record, poolLabel, folder }) => ({ name: record.name, pool: poolLabel, folder })),
  settings: Object.fromEntries(
    db
      .select()
      .from(meta)
      .all()
      .filter(({ key }) => isSetting(key))
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
