/**
 * What of a copy is only records: put where there is none yet. What somebody has said on this host stays as it is, so that
 * doing it twice changes nothing.
 */
import { and, eq, sql } from 'drizzle-orm';
import type { ConfigurationContent } from '$lib/shared/wire/configuration';
import type { Db } from '../db/client';
import { catalogEntries, images, meta, pools, poolSnapshots, schedules, vms } from '../db/schema';
import { isSetting } from './store';

export interface Written {
  images: number;
  catalogEntries: number;
  schedules: number;
  snapshots: number;
  settings: number;
}

type Row<T extends { $inferInsert: unknown }> = T['$inferInsert'];

export function writeSettings(db: Db, content: ConfigurationContent): Written {
  return db.transaction((tx) => {
    const here = new Set(
      tx
        .select({ guid: pools.guid })
        .from(pools)
        .all()
        .map(({ guid }) => guid),
    );
    const written: Written = { images: 0, catalogEntries: 0, schedules: 0, snapshots: 0, settings: 0 };
    for (const image of content.images) {
      // The scan of a pool that came back may have listed its files already, under another id that nothing uses yet.
      const same = and(eq(images.poolGuid, image.poolGuid), eq(images.file, image.file));
      const listed = tx.select().from(images).where(same).get();
      const used =
        listed && tx.select({ id: vms.id }).from(vms).where(eq(vms.imageId, listed.id)).limit(1).get();
      if (listed?.id === image.id || used) continue;
      if (listed && listed.origin === 'scanned' && listed.state === 'ready')
        tx.delete(images).where(same).run();
      const row = { ...image, state: 'ready' } as Row<typeof images>;
      written.images += tx.insert(images).values(row).onConflictDoNothing().run().changes;
    }
    for (const entry of content.catalogEntries)
      written.catalogEntries += tx
        .insert(catalogEntries)
        .values(entry as Row<typeof catalogEntries>)
        .onConflictDoNothing()
        .run().changes;
    for (const row of content.schedules.filter(({ subjectId }) => here.has(subjectId)))
      written.schedules += tx
        .insert(schedules)
        .values(row as Row<typeof schedules>)
        .onConflictDoNothing()
        .run().changes;
    for (const row of content.snapshots.filter(({ poolGuid }) => here.has(poolGuid)))
      written.snapshots += tx
        .insert(poolSnapshots)
        .values(row)
        .onConflictDoUpdate({
          target: [poolSnapshots.poolGuid, poolSnapshots.name],
          // Never less protected than before.
          set: { protected: sql`${poolSnapshots.protected} OR ${row.protected ? 1 : 0}` },
        })
        .run().changes;
    for (const [key, value] of Object.entries(content.settings))
      if (isSetting(key))
        written.settings += tx.insert(meta).values({ key, value }).onConflictDoNothing().run().changes;
    return written;
  });
}
