import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kernelHasFilesystem } from '$lib/server/host/filesystems';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cairn-kernel-'));
  mkdirSync(join(root, 'proc'));
  mkdirSync(join(root, 'lib/modules', release()), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

test('a filesystem that the kernel has registered can be mounted', () => {
  writeFileSync(join(root, 'proc/filesystems'), 'nodev\tsysfs\n\text4\nnodev\tfuse\n\tbtrfs\n');
  expect(kernelHasFilesystem('ext4', root)).toBe(true);
  expect(kernelHasFilesystem('btrfs', root)).toBe(true);
  expect(kernelHasFilesystem('ext', root)).toBe(false);
  expect(kernelHasFilesystem('xfs', root)).toBe(false);
});

test.each([
  ['modules.dep', 'kernel/fs/xfs/xfs.ko: kernel/lib/libcrc32c.ko\n'],
  ['modules.dep', 'kernel/fs/xfs/xfs.ko.xz: kernel/lib/libcrc32c.ko.xz\n'],
  ['modules.builtin', 'kernel/fs/xfs/xfs.ko\n'],
])('one that lies in %s as %j is loaded when it is mounted', (file, content) => {
  writeFileSync(join(root, 'lib/modules', release(), file), content);
  expect(kernelHasFilesystem('xfs', root)).toBe(true);
  expect(kernelHasFilesystem('fs', root)).toBe(false);
});

test('a machine without a list of modules has what is registered', () => {
  rmSync(join(root, 'lib'), { recursive: true });
  writeFileSync(join(root, 'proc/filesystems'), '\text4\n');
  expect(kernelHasFilesystem('ext4', root)).toBe(true);
  expect(kernelHasFilesystem('xfs', root)).toBe(false);
});
