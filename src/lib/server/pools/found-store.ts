/** Found pools that a user wants left alone: the only thing that is remembered about them. */
import { eq, like } from 'drizzle-orm';
import type { Db } from '../db/client';
import { meta } from '../db/schema';

const PREFIX = 'found.ignored:';

export const ignoredFound = (db: Db): Set<string> =>
  new Set(
    db
      .select()
      .from(meta)
      .where(like(meta.key, `${PREFIX}%`))
      .all()
      .map((row) => row.key.slice(PREFIX.length)),
  );

export function setIgnored(db: Db, id: string, on: boolean): void {
  const key = `${PREFIX}${id}`;
  if (on) db.insert(meta).values({ key, value: '1' }).onConflictDoNothing().run();
  else db.delete(meta).where(eq(meta.key, key)).run();
}
