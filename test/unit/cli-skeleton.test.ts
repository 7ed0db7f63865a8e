import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import { readTree } from '$lib/server/host/file-tree';
import { manifestOf } from '$lib/server/plugins/manifest';
import { checkShape } from '$lib/server/plugins/shape';
import { skeleton } from '../../src/cli/plugin-skeleton';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-skeleton-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a new plugin can be installed and loaded as it is, and asks for what its plugin.json names', async () => {
  for (const [name, text] of Object.entries(skeleton('my-pool'))) writeFileSync(join(folder, name), text);
  const manifest = manifestOf(await readTree(folder));
  const module = (await import(/* @vite-ignore */ pathToFileURL(join(folder, manifest.entry)).href)) as {
    default: (api: typeof sdk) => unknown;
  };
  const plugin = checkShape(module.default(sdk), 'my-pool');
  expect(plugin.programs).toEqual(manifest.programs);
  expect(plugin.version).toBe(manifest.version);
});
