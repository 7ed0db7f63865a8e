import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStorageStack, type StorageStack } from '../support/storage-stack';

const signaturesOn = (path: string): string =>
  execFileSync('/usr/sbin/wipefs', ['--no-act', '--', path], { encoding: 'utf8' }).trim();
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

const CASES = [
  { plugin: 'single-drive', layout: 'single', drives: 1, options: { filesystem: 'ext4' } },
  { plugin: 'single-drive', layout: 'single', drives: 1, options: { filesystem: 'xfs' } },
  { plugin: 'single-drive', layout: 'single', drives: 1, options: { filesystem: 'ext4', partition: false } },
  { plugin: 'single-drive', layout: 'single', drives: 1, options: { filesystem: 'xfs', partition: false } },
  { plugin: 'btrfs', layout: 'single', drives: 1, options: {} },
  { plugin: 'btrfs', layout: 'single', drives: 3, options: { compression: 'lzo' } },
  { plugin: 'btrfs', layout: 'raid1', drives: 2, options: { compression: 'zstd' } },
  { plugin: 'btrfs', layout: 'raid10', drives: 4, options: {} },
];

let stack: StorageStack;
beforeEach(async () => {
  stack = await createStorageStack({ drives: 4 });
});
afterEach(() => stack.close());

describe('a pool from its first step to blank drives', () => {
  it.each(CASES)(
    '$plugin $layout on $drives drives, $options',
    async ({ plugin, layout, drives, options }) => {
      const chosen = stack.loops.drives.slice(0, drives);
      const request = {
        label: 'Tank één',
        plugin,
        layout,
        options,
        drives: chosen.map((drive, index) => ({ serial: drive.serial, label: `bay ${index + 1}` })),
      };
      const { guid, operation } = await stack.create(request);
      expect(operation.error).toBeNull();
      expect(operation.state).toBe('succeeded');

      const pool = stack.pools.get(guid);
      expect(pool).toMatchObject({
        state: 'ready',
        poolStatus: 'active',
        health: 'healthy',
        healthText: null,
        mounted: true,
        mountPath: join(stack.config.mountRoot, 'tank-een'),
      });
      expect(pool.members.map(({ serial, label, status }) => ({ serial, label, status }))).toEqual(
        chosen.map((drive, index) => ({ serial: drive.serial, label: `bay ${index + 1}`, status: 'active' })),
      );
      expect(pool.sizeBytes).toBeGreaterThan(0);
      expect(stack.feed.get('pools', guid)?.state).toBe('ready');

      const identityPath = join(pool.mountPath, '.cairn', 'pool.json');
      expect(JSON.parse(readFileSync(identityPath, 'utf8'))).toMatchObject({
        guid,
        label: 'Tank één',
        plugin,
      });
      expect(statSync(identityPath).mode & 0o777).toBe(0o600);

      const file = join(pool.mountPath, 'data.bin');
      writeFileSync(file, randomBytes(8 * 1024 ** 2));
      const sum = sha256(file);

      const renamed = await stack.run('pool.rename', { poolGroupGuid: guid, label: 'Deep blue' });
      expect(renamed.error).toBeNull();
      expect(stack.pools.get(guid).label).toBe('Deep blue');
      expect(JSON.parse(readFileSync(identityPath, 'utf8')).label).toBe('Deep blue');

      const unmounted = await stack.run('pool.unmount', { poolGroupGuid: guid });
      expect(unmounted.error).toBeNull();
      expect(stack.pools.get(guid)).toMatchObject({
        state: 'unmounted',
        poolStatus: 'inactive',
        mounted: false,
      });
      expect(existsSync(file)).toBe(false);

      const mounted = await stack.run('pool.mount', { poolGroupGuid: guid });
      expect(mounted.error).toBeNull();
      expect(stack.pools.get(guid)).toMatchObject({ state: 'ready', poolStatus: 'active', mounted: true });
      expect(sha256(file)).toBe(sum);

      const removed = await stack.remove(guid);
      expect(removed.error).toBeNull();
      expect(stack.pools.list()).toEqual([]);
      expect(existsSync(pool.mountPath)).toBe(false);
      for (const drive of chosen) expect(signaturesOn(drive.path)).toBe('');
      await stack.drives.refresh();
      for (const drive of chosen)
        expect(stack.drives.find(drive.serial)).toMatchObject({
          group: 'free',
          issues: [],
          contentHash: 'blank',
        });

      const again = await stack.create({ ...request, poolGroupGuid: guid });
      expect(again.operation.state).toBe('succeeded');
      expect((await stack.remove(guid)).state).toBe('succeeded');
    },
  );
});
