/** An appliance whose system disk is gone: of what it had only its drives are left. */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Appliance } from './appliance';

/** The drives stay plugged in; what says where the test wants a crash is the test's own. */
const KEPT = ['sandbox', 'mnt', 'crash-at'];

/** Its pools are no longer mounted then. Start it with `NO_NEW_DRIVES`. */
export async function loseSystemDisk(appliance: Appliance, pool: string): Promise<void> {
  await appliance.kill();
  spawnSync('/usr/bin/umount', ['--', join(appliance.dataDir, 'mnt', pool)]);
  for (const name of readdirSync(appliance.dataDir).filter((one) => !KEPT.includes(one)))
    rmSync(join(appliance.dataDir, name), { recursive: true, force: true });
}
export const NO_NEW_DRIVES = { CAIRN_SANDBOX_DRIVES: '0' };
