import type { Config } from '../config';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Drives } from '../drives/drive';
import type { Bus } from '../events/bus';
import type { Host } from '../host/types';
import type { Logger } from '../log';
import type { Operations } from '../operations/types';
import type { Plugins } from '../plugins/registry';

/** What the operations of pools are built from. */
export interface PoolDeps {
  db: Db;
  host: Host;
  bus: Bus;
  clock: Clock;
  config: Pick<Config, 'mountRoot' | 'dataDir'> & Partial<Pick<Config, 'sandbox'>>;
  log: Logger;
  plugins: Plugins;
  drives: Drives;
  /** Names of what would be lost with this pool; news from above, which pools know nothing of. */
  neededBy?: (poolGuid: string) => string[];
  /** Names of what sleeps with files of this pool open in its memory: it needs them exactly as they are now. */
  asleepOn?: (poolGuid: string) => Promise<string[]>;
}
export interface PoolReadDeps extends PoolDeps {
  operations: Operations;
}
