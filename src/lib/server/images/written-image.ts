/** The plan of an image that is written here, from what is here already: the disk of a machine, or an image of another format. */
import { join, posix } from 'node:path';
import { looks, type Step } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { Image } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import { PROGRAMS } from '../host/programs';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { downloadInput, makeFolder } from './prepare-download';

const DAY_MS = 24 * 60 * 60_000;

export interface WrittenImage {
  image: Pick<Image, 'id' | 'kind' | 'os' | 'arch' | 'defaultUser' | 'minDiskBytes' | 'minMemoryBytes'>;
  format: 'qcow2' | 'ova';
  title: string;
  to: Pool;
  /** Below the pool's mount point; free. */
  file: string;
  /** Writes all of it into `part`, which gets its name afterwards. */
  write(part: string): Step[];
  /** Besides those of the image itself and of its pool. */
  locks: string[];
  notes: string[];
}

export interface Conversion {
  name: string;
  title: string;
  /** As QEMU calls its format. */
  driver: string;
  path: string;
  part: string;
  /** What is written: qcow2, or the one kind of vmdk that an OVF package may have. */
  as?: 'qcow2' | 'vmdk';
  /** What is written at most, for the progress. */
  sourceBytes: number;
}

const OUT = { qcow2: ['-O', 'qcow2'], vmdk: ['-O', 'vmdk', '-o', 'subformat=streamOptimized'] } as const;

/** Format declared, never guessed: what is in it may be somebody else's. */
export const conversionStep = ({ as = 'qcow2', ...asked }: Conversion): Step => ({
  ...{ name: asked.name, title: asked.title },
  run: {
    ...{ do: 'exec', program: PROGRAMS.qemuImg, timeoutMs: DAY_MS, follow: true },
    argv: ['convert', '-p', '-f', asked.driver, ...OUT[as], '--', asked.path, asked.part],
  },
  undo: [{ do: 'remove-file', path: asked.part }],
  look: { look: 'converted', args: { path: asked.part, sourceBytes: asked.sourceBytes } },
});

export function prepareWritten({ image, format, title, to, file, ...rest }: WrittenImage): Prepared {
  const path = join(to.mountPath, file);
  const part = `${path}.part`;
  const name = posix.basename(file);
  const input = downloadInput.parse({
    ...{ ...image, name, format, file, path },
    ...{ catalogId: null, url: null, checksum: null, poolGuid: to.guid, sizeBytes: null },
  });
  return {
    input: JSON.parse(JSON.stringify(input)) as JsonObject,
    title,
    subject: { type: 'image', id: image.id, label: name },
    steps: [
      makeFolder(posix.dirname(path)),
      ...rest.write(part),
      {
        name: 'name-image',
        title: 'Give the image its name',
        run: { do: 'name-file', from: part, path },
        undo: [{ do: 'remove-file', path }],
        look: looks.fileThere(path),
      },
    ],
    locks: [...new Set([`image:${image.id}`, `path:${path}`, usesLock(`pool:${to.guid}`), ...rest.locks])],
    drives: [],
    erases: [],
    confirmText: null,
    notes: rest.notes,
  };
}
