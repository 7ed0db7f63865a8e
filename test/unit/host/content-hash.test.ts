import { expect, test } from 'vitest';
import { BLANK, contentHash } from '$lib/server/host/content-hash';
import type { NodeContent } from '$lib/server/host/signatures';

const drive = {
  kernelName: 'sdz',
  partitions: [{ kernelName: 'sdz1', number: 1, startBytes: 1_048_576, sizeBytes: 5_000_000 }],
} as never;
const hash = (...raw: NodeContent['raw']): string =>
  contentHash(drive, new Map([['sdz1', { raw, signatures: [] } as unknown as NodeContent]]));
const uberblock = (offset: string, uuid = '12918412023971374162') => ({
  type: 'zfs_member',
  offset,
  uuid,
  label: 'tank',
});

test('a member of a ZFS pool that writes stays the same, another pool does not', () => {
  const before = hash(uberblock('0x27000'), uberblock('0x67000'));
  expect(hash(uberblock('0x31000'))).toBe(before);
  expect(hash(uberblock('0x27000', '99'))).not.toBe(before);
  expect(hash()).not.toBe(before);
});

test('a drive without anything on it is blank', () => {
  expect(contentHash({ kernelName: 'sdz', partitions: [] } as never, new Map())).toBe(BLANK);
});
