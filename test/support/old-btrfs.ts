/** btrfs pools as Cairn made them before their files lay in a subvolume, and as other systems make them. */
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { StorageStack } from './storage-stack';

const btrfs = (...argv: string[]): string => execFileSync('/usr/bin/btrfs', argv, { encoding: 'utf8' });

/** An empty pool becomes one whose files lie in the top level; no subvolume is left. */
export async function moveToTopLevel(stack: StorageStack, guid: string): Promise<void> {
  const at = stack.pools.get(guid).mountPath;
  btrfs('subvolume', 'set-default', '5', at);
  await stack.run('pool.unmount', { poolGroupGuid: guid });
  await stack.run('pool.mount', { poolGroupGuid: guid });
  cpSync(join(at, 'data', '.cairn'), join(at, '.cairn'), { recursive: true });
  btrfs('subvolume', 'delete', '--commit-after', join(at, 'data'));
  await stack.pools.refresh();
}
