/** The table of images. Writing takes the transaction of the operation that owns the change. */
import { and, asc, eq } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { images } from '../db/schema';

export type ImageRecord = typeof images.$inferSelect;
type Reader = Db | Transaction;

export const listImages = (db: Reader): ImageRecord[] =>
  db.select().from(images).orderBy(asc(images.createdAt), asc(images.id)).all();

export const findImage = (db: Reader, id: string): ImageRecord | null =>
  db.select().from(images).where(eq(images.id, id)).get() ?? null;

export const findByFile = (db: Reader, poolGuid: string, file: string): ImageRecord | null =>
  db
    .select()
    .from(images)
    .where(and(eq(images.poolGuid, poolGuid), eq(images.file, file)))
    .get() ?? null;

export const insertImage = (tx: Transaction, record: ImageRecord): void => {
  tx.insert(images).values(record).run();
};
export const changeImage = (
  tx: Transaction,
  id: string,
  change: Partial<Pick<ImageRecord, 'state' | 'sizeBytes' | 'name'>>,
): void => {
  tx.update(images).set(change).where(eq(images.id, id)).run();
};
export const deleteImage = (tx: Transaction, id: string): void => {
  tx.delete(images).where(eq(images.id, id)).run();
};
