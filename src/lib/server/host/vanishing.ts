/** What sysfs shows may be gone before it is read. */
import { existsSync, readdirSync } from 'node:fs';

const GONE: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'ENODEV'];
/** Null for what is gone by the time it is read: an unmounted filesystem, a pulled drive. */
export function unlessGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && GONE.includes(error.code)) return null;
    throw error;
  }
}
/** Names in a folder that may go meanwhile; one that is gone has none. */
export const listFolder = (path: string): string[] =>
  existsSync(path) ? (unlessGone(() => readdirSync(path)) ?? []) : [];
