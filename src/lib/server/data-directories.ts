import { chmodSync, mkdirSync } from 'node:fs';
import type { Config } from './config';

/** The directories hold what only root may read: the database, records of commands, sandbox drives. */
export function makeDataDirectories(config: Config): void {
  const { dataDir, recordsDir, sandboxDir, thirdPartyPluginsDir, updatesDir } = config;
  for (const path of [dataDir, recordsDir, sandboxDir, thirdPartyPluginsDir, updatesDir]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  }
}
