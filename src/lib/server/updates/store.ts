/** What was offered last, how the last look ended, and which version is not wanted. */
import { eq } from 'drizzle-orm';
import type { UpdateView } from '$lib/shared/wire/updates';
import type { Db } from '../db/client';
import { meta } from '../db/schema';

export interface LastLook extends Pick<UpdateView, 'offered' | 'failure'> {
  checkedAt: number;
  /** When the offered version was first seen; not there in what an earlier version wrote. */
  since?: number | null;
  /** Of the first look that failed since one told something. */
  failingSince?: number | null;
}
const LOOK = 'update-look';
const SKIPPED = 'update-skipped';

const read = (db: Db, key: string): string | null =>
  db.select().from(meta).where(eq(meta.key, key)).get()?.value ?? null;
function write(db: Db, key: string, value: string): void {
  db.insert(meta).values({ key, value }).onConflictDoUpdate({ target: meta.key, set: { value } }).run();
}

export function readLook(db: Db): LastLook | null {
  const text = read(db, LOOK);
  return text === null ? null : (JSON.parse(text) as LastLook);
}
export const writeLook = (db: Db, look: LastLook): void => write(db, LOOK, JSON.stringify(look));

export const readSkipped = (db: Db): string | null => read(db, SKIPPED);
export function writeSkipped(db: Db, version: string | null): void {
  if (version === null) db.delete(meta).where(eq(meta.key, SKIPPED)).run();
  else write(db, SKIPPED, version);
}
