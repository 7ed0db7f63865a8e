/** What is inside the disk images that are there: asked once for each state of a file, and again when it has changed. */
import { posix } from 'node:path';
import type { Pool } from '$lib/shared/wire/pools';
import { toAppError } from '../errors';
import type { DiskFormat, ImageHeader } from '../host/image-header';
import { inspectImage } from '../host/inspect-image';
import { passThrough } from '../host/passers';
import type { ImageDeps } from './deps';
import type { Presence } from './document';
import type { ImageRecord } from './store';

export interface Inspections {
  /** undefined: not inspected yet, or it could not be. */
  of(id: string): ImageHeader | undefined;
  /** @returns whether something is known that was not before */
  look(records: ImageRecord[], pools: Pool[], presenceOf: (id: string) => Presence): Promise<boolean>;
  stop(): void;
}

const diskFormat = ({ format }: ImageRecord): DiskFormat | null =>
  format === 'iso' || format === 'ova' ? null : format;

export function createInspections({ commands, log }: Pick<ImageDeps, 'commands' | 'log'>): Inspections {
  const known = new Map<string, { stamp: string; answer: ImageHeader }>();
  const stopping = new AbortController();

  async function inspect(record: ImageRecord, pool: Pool, format: DiskFormat): Promise<ImageHeader | null> {
    const path = posix.join(pool.mountPath, record.file);
    try {
      return await passThrough(path, (leave) =>
        inspectImage(commands, path, format, AbortSignal.any([leave, stopping.signal])),
      );
    } catch (error) {
      // Asked again with the next look.
      log.debug({ error: toAppError(error), path }, 'the image could not be inspected');
      return null;
    }
  }

  return {
    of: (id) => known.get(id)?.answer,
    async look(records, pools, presenceOf) {
      let news = false;
      for (const record of records) {
        const presence = presenceOf(record.id);
        const pool = pools.find(({ guid }) => guid === record.poolGuid);
        const format = diskFormat(record);
        if (!presence || !pool || format === null || stopping.signal.aborted) continue;
        const stamp = `${record.format} ${presence.sizeBytes} ${presence.modifiedAtMs}`;
        if (known.get(record.id)?.stamp === stamp) continue;
        news = known.delete(record.id) || news;
        const answer = await inspect(record, pool, format);
        if (!answer) continue;
        known.set(record.id, { stamp, answer });
        news = true;
      }
      return news;
    },
    stop: () => stopping.abort(new Error('stopping')),
  };
}
