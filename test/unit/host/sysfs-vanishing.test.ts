/** What sysfs shows may be gone before it is read: an unmount, a pulled drive. Here everything was there a moment ago. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { locateSwitch } from '$lib/server/host/identify';
import { nameOfNumber, readBtrfsMembers, slavesOf, wholeDevice } from '$lib/server/host/sysfs';

vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  existsSync: () => true,
}));

const root = mkdtempSync(join(tmpdir(), 'cairn-sysfs-'));
const roots = { sys: root, udev: root };
const UUID = '93fbb635-f93a-472a-ac97-00cee415f0d6';
mkdirSync(join(root, 'fs/btrfs', UUID), { recursive: true });
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('a btrfs that is unmounted while it is looked at has no members, and nothing breaks', () => {
  expect(readBtrfsMembers(roots).get(UUID)).toEqual([]);
});
it('a device that goes while it is looked at is built on nothing, is whole, and has no number', () => {
  expect(slavesOf('md0', roots)).toEqual([]);
  expect(wholeDevice('sda1', roots)).toBe('sda1');
  expect(nameOfNumber('8:1', roots)).toBeNull();
});
it('a drive that goes while the light of its bay is looked for has none', () => {
  expect(locateSwitch('sda', root)).toBeNull();
});
