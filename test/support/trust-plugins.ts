/** Plugins as if an administrator had installed and trusted them, without the operation that does it. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTree, treeDigest } from '$lib/server/host/file-tree';
import { trustText } from '$lib/server/plugins/installed';
import type { Appliance } from './appliance';

/** @param programs those of the sources and wipefs, unless said otherwise */
export async function trustPlugin(
  from: string,
  directory: string,
  id: string,
  programs?: string[],
): Promise<void> {
  const tree = await readTree(from);
  const sources = [...tree.values()].map(String).join('\n');
  const named = [...sources.matchAll(/["'](\/(?:usr\/)?s?bin\/[\w.-]+)["']/g)].map(([, path = '']) => path);
  mkdirSync(join(directory, id), { recursive: true });
  cpSync(from, join(directory, id, '1.0.0'), { recursive: true });
  const trust = {
    ...{ version: '1.0.0', folder: '1.0.0', sha256: treeDigest(tree), source: from },
    entry: ['plugin.js', 'plugin.ts'].find((name) => tree.has(name)) ?? 'plugin.js',
    programs: programs ?? [...new Set([...named, '/usr/sbin/wipefs'])],
    ...{ trustedAt: 1, trustedBy: 'test' },
  };
  writeFileSync(join(directory, id, 'in-use.json'), trustText(trust));
}

/** Every folder of plugins in a folder. */
export async function trustPlugins(from: string, directory: string): Promise<void> {
  for (const entry of readdirSync(from, { withFileTypes: true }))
    if (entry.isDirectory()) await trustPlugin(join(from, entry.name), directory, entry.name);
}

/** One whole plugin of a file, in a folder that can be installed. */
export function writePlugin(folder: string, id: string, more = '', version = '1.0.0'): void {
  mkdirSync(folder, { recursive: true });
  const manifest = {
    ...{ api: 1, id, version, name: 'Mine', description: 'For tests.' },
    ...{ entry: 'plugin.js', programs: ['/usr/bin/true'] },
  };
  writeFileSync(join(folder, 'plugin.json'), JSON.stringify(manifest));
  writeFileSync(
    join(folder, 'plugin.js'),
    `export default (sdk) => ({
      api: 1, kind: 'storage', id: '${id}', name: 'Mine', version: '${version}', description: '', programs: ['/usr/bin/true'],
      layouts: [{ id: 'single', title: 'Single', description: '', minDrives: 1, maxDrives: 1, tolerance: () => 0 }],
      options: {}, minimumDriveBytes: 0, usableBytes: () => 0, create: () => [], destroy: () => [],
      status: () => { throw new Error('oops'); }, check: async () => ({ available: true }), ${more} });\n`,
  );
}

/** Looks at it and trusts it, over REST, as who installs one does. @returns the answer with the operation */
export async function installPlugin(appliance: Appliance, path: string, id: string) {
  const staged = await appliance.rest<{ sha256: string }>('POST', '/plugins/staged', { path });
  if (staged.status >= 300) throw new Error(`it was refused: ${JSON.stringify(staged.body)}`);
  const { sha256 } = staged.body;
  return appliance.rest('POST', '/plugins', { sha256, source: path, trust: id });
}
