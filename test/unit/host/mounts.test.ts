import { expect, test } from 'vitest';
import { parseMountInfo, parseSwaps } from '$lib/server/host/mounts';

test('a mount is read with its path, source and options, whatever optional fields it has', () => {
  expect(
    parseMountInfo(
      '36 35 8:1 / /mnt/my\\040pool rw,noatime shared:12 master:1 - ext4 /dev/sda1 rw,errors=continue\n' +
        '40 35 0:44 /@ /srv ro - btrfs /dev/sdb rw,compress=zstd:3\n',
    ),
  ).toEqual([
    {
      path: '/mnt/my pool',
      source: '/dev/sda1',
      filesystem: 'ext4',
      majorMinor: '8:1',
      readOnly: false,
      options: ['rw', 'noatime'],
    },
    {
      path: '/srv',
      source: '/dev/sdb',
      filesystem: 'btrfs',
      majorMinor: '0:44',
      readOnly: true,
      options: ['ro'],
    },
  ]);
});

test('a line that is not understood is an error', () => {
  expect(() => parseMountInfo('36 35 8:1 / /mnt rw\n')).toThrow(
    expect.objectContaining({ code: 'parse_failed' }) as Error,
  );
});

test('swap devices and files are listed by their path', () => {
  expect(
    parseSwaps(
      'Filename\t\t\tType\t\tSize\tUsed\tPriority\n/dev/sda2  partition 100 0 -2\n/my\\040swap file 1 0 -3\n',
    ),
  ).toEqual(['/dev/sda2', '/my swap']);
});
