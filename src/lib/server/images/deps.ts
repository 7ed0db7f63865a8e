import type { Pool } from '$lib/shared/wire/pools';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Bus } from '../events/bus';
import type { CommandRunner, MountEntry } from '../host/types';
import type { Logger } from '../log';
import type { Operations } from '../operations/types';

/** What images are built from. They lie on pools, and pools know nothing of them. */
export interface ImageDeps {
  db: Db;
  bus: Bus;
  clock: Clock;
  log: Logger;
  commands: Pick<CommandRunner, 'read'>;
  pools: { list(): Pool[] };
  operations: Pick<Operations, 'holderId'>;
  /** Names of what cannot be without this image; news from above, which images know nothing of. */
  neededBy?: (imageId: string) => string[];
  mounts(): MountEntry[];
  /** Folders of a pool, by their path below its mount path, that hold what is others' own: no search goes there. */
  foldersOfOthers: readonly string[];
}
