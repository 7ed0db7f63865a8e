import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

/** A folder with all that is in it, also mount points that nobody may change. Nothing is mounted below it any more. */
export function removeFolder(path: string): void {
  spawnSync('/usr/bin/chattr', ['-R', '-f', '-i', '--', path]);
  rmSync(path, { recursive: true, force: true });
}
