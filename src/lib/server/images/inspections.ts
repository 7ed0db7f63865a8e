/** What is inside the disk images that are there: asked once for each state of a file, and again when it has changed. */
import { posix } from 'node:path';
import type { ImageMachine } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import { toAppError } from '../errors';
import type { DiskFormat, ImageHeader } from '../host/image-header';
import { inspectImage } from '../host/inspect-image';
import { inspectOva, type Ova } from '../host/inspect-ova';
import { passThrough } from '../host/passers';
import type { ImageDeps } from './deps';
import type { Presence } from './document';
import type { ImageRecord } from './store';

export interface Inspection extends ImageHeader {
  machine?: ImageMachine;
}

export interface Inspections {
  /** undefined: not inspected yet, or it could not be. */
  of(id: string): Inspection | undefined;
  /** @returns whether something is known that was not before */
  look(records: ImageRecord[], pools: Pool[], presenceOf: (id: string) => Presence): Promise<boolean>;
  stop(): void;
}

/** What is wrong with it is an answer too. */
async function inspectMachine(
  commands: ImageDeps['commands'],
  path: string,
  signal: AbortSignal,
): Promise<Inspection> {
  try {
    return { virtualBytes: 0, obstacle: null, machine: machineOf(await inspectOva(commands, path, signal)) };
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== 'image_unsupported') throw error;
    return { virtualBytes: 0, obstacle: error.message };
  }
}

export const machineOf = ({ disks, digests, ...ovf }: Ova): ImageMachine => ({
  ...ovf,
  ...{ hasChecksums: digests.length > 0 },
  diskBytes: disks.map(({ virtualBytes }) => virtualBytes),
});

export function createInspections({ commands, log }: Pick<ImageDeps, 'commands' | 'log'>): Inspections {
  const known = new Map<string, { stamp: string; answer: Inspection }>();
  const stopping = new AbortController();

  async function inspect(
    record: ImageRecord,
    pool: Pool,
    format: DiskFormat | 'ova',
  ): Promise<Inspection | null> {
    const path = posix.join(pool.mountPath, record.file);
    try {
      return await passThrough<Inspection>(path, (leave) => {
        const signal = AbortSignal.any([leave, stopping.signal]);
        return format === 'ova'
          ? inspectMachine(commands, path, signal)
          : inspectImage(commands, path, format, signal);
      });
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
        const { format } = record;
        if (!presence || !pool || format === 'iso' || stopping.signal.aborted) continue;
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
