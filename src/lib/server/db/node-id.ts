/** Which host this is: made once and kept in the database, so that it outlives a new host name. */
import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Db } from './client';
import { meta } from './schema';

const KEY = 'node-id';

export function nodeIdOf(db: Db): string {
  db.insert(meta).values({ key: KEY, value: randomUUID() }).onConflictDoNothing().run();
  const row = db.select().from(meta).where(eq(meta.key, KEY)).get();
  if (!row) throw new Error('the node id was not kept');
  return row.value;
}
