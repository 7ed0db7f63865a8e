/** What was offered last, and how the last look ended. */
import { eq } from 'drizzle-orm';
import type { UpdateView } from '$lib/shared/wire/updates';
import type { Db } from '../db/client';
import { meta } from '../db/schema';

export type LastLook = Pick<UpdateView, 'offered' | 'failure'> & { checkedAt: number };
const KEY = 'update-look';

export function readLook(db: Db): LastLook | null {
  const row = db.select().from(meta).where(eq(meta.key, KEY)).get();
  return row ? (JSON.parse(row.value) as LastLook) : null;
}
export function writeLook(db: Db, look: LastLook): void {
  const value = JSON.stringify(look);
  db.insert(meta).values({ key: KEY, value }).onConflictDoUpdate({ target: meta.key, set: { value } }).run();
}
