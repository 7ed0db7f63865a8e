import { expect, test } from 'vitest';
import type { Action } from '$lib/plugin-api/plan';
import { withMembersOfNow } from '$lib/server/host/mount-members';
import type { Host } from '$lib/server/host/types';

/** What is on each drive; a drive that is not named is not plugged in. */
const hostWith = (content: Record<string, string | null>) =>
  ({
    blockDevices: {
      pathOf: (ref: { drive: string }) => (ref.drive in content ? `/dev/${ref.drive}` : null),
    },
    probe: async (path: string) => {
      const uuid = content[path.slice('/dev/'.length)] ?? null;
      return uuid === null ? null : { type: 'btrfs', uuid, label: null };
    },
  }) as unknown as Host;
const mount = (source: string, ...drives: string[]): Action => ({
  ...{ do: 'mount', source: { drive: source }, path: '/mnt/p', filesystem: 'btrfs', options: [] },
  ...{ devices: drives.map((drive) => ({ drive })), uuid: 'ours' },
});

test('a drive that has been replaced, holds another filesystem or was pulled is not named', async () => {
  const host = hostWith({ a: null, b: 'ours', c: 'theirs' });
  expect(await withMembersOfNow(mount('a', 'a', 'b', 'c', 'd'), host)).toEqual(mount('b', 'b'));
});

test('a whole pool is mounted as its plan says', async () => {
  const host = hostWith({ a: 'ours', b: 'ours' });
  expect(await withMembersOfNow(mount('b', 'a', 'b'), host)).toEqual(mount('b', 'a', 'b'));
});

test('where no drive carries it the plan stays as it is, and mount has the word', async () => {
  expect(await withMembersOfNow(mount('a', 'a', 'b'), hostWith({ a: null, b: null }))).toEqual(
    mount('a', 'a', 'b'),
  );
});
