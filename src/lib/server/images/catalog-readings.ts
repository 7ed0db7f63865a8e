/**
 * What the publishers of the catalog's images offer today: how large the file is, and which build, told by its checksum. Asked
 * once a day and when somebody wants to know; nothing is downloaded. An entry that cannot be asked keeps what was known of it.
 */
import type { CatalogRefresh, PublishedNow } from '$lib/shared/wire/images';
import { downloadRequest } from '$lib/shared/wire/requests';
import type { Db } from '../db/client';
import { toAppError } from '../errors';
import type { Logger } from '../log';
import type { CatalogEntry } from './catalog';
import { dropReading, findReading, saveReading } from './catalog-store';
import type { ImageDeps } from './deps';
import { allEntries } from './entries';
import { askSource, sourceOf } from './source';

/** Servers are asked side by side, but not all at once. */
const AT_ONCE = 4;
/** Nobody is asked for this: sources are judged as those of a download, which has to go somewhere. */
const NO_POOL = '00000000-0000-0000-0000-000000000000';

async function ask(entry: CatalogEntry): Promise<{ sizeBytes: number | null; checksum: string | null }> {
  const request = downloadRequest.parse({
    ...{ catalogId: entry.id, poolGuid: NO_POOL, allowPrivate: entry.allowPrivate },
    ...(entry.checksum === null ? {} : { checksum: entry.checksum }),
  });
  const { sizeBytes, checksum } = await askSource(request, sourceOf(request, entry));
  return { sizeBytes, checksum: checksum?.hex ?? null };
}

export interface CatalogReadings {
  /** null: it was never asked. */
  of(entryId: string): PublishedNow | null;
  /** Its address was changed, or it is gone: what was said of it means nothing now. */
  drop(entryId: string): void;
  refresh(entries: CatalogEntry[]): Promise<CatalogRefresh>;
  /** The same for all; whoever asks meanwhile gets the same answer. */
  refreshAll(entries: () => CatalogEntry[]): Promise<CatalogRefresh>;
}

export function createCatalogReadings(
  { db, clock, log }: Pick<ImageDeps, 'clock'> & { db: Db; log: Logger },
  changed: () => void,
): CatalogReadings {
  let running: Promise<CatalogRefresh> | null = null;

  async function one(entry: CatalogEntry): Promise<string | null> {
    const before = findReading(db, entry.id);
    let problem: string | null = null;
    const now = await ask(entry).catch((error: unknown) => {
      problem = toAppError(error).message;
      log.info({ entry: entry.id, problem }, 'an entry of the catalog could not be asked for');
      return { sizeBytes: before?.sizeBytes ?? null, checksum: before?.checksum ?? null };
    });
    // It may have been removed, or led elsewhere, while its server took its time.
    const still = allEntries(db).find(({ id }) => id === entry.id);
    if (still?.url !== entry.url) return null;
    saveReading(db, { entryId: entry.id, ...now, problem, askedAt: clock.now() });
    return problem;
  }
  async function all(entries: CatalogEntry[]): Promise<CatalogRefresh> {
    const failed: CatalogRefresh['failed'] = [];
    const left = [...entries];
    const worker = async (): Promise<void> => {
      for (let entry = left.shift(); entry; entry = left.shift()) {
        const problem = await one(entry);
        if (problem !== null) failed.push({ name: entry.name, problem });
        changed();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return { asked: entries.length, failed: failed.toSorted((a, b) => a.name.localeCompare(b.name)) };
  }
  return {
    of: (entryId) => findReading(db, entryId),
    drop: (entryId) => dropReading(db, entryId),
    refresh: all,
    refreshAll: (entries) => (running ??= all(entries()).finally(() => (running = null))),
  };
}
