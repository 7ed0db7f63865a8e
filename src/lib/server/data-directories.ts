import { chmodSync, mkdirSync } from 'node:fs';
import type { Config } from './config';

/** The directories hold what only root may read: the database, records of commands, sandbox drives. */
export function makeDataDirectories(config: Config): void {
  for (const path of [config.dataDir, config.recordsDir, config.sandboxDir, config.thirdPartyPluginsDir]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  }
}
