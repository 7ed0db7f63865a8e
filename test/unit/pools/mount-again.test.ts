import { expect, test } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { PoolSpec } from '$lib/plugin-api/storage';
import { mountAgain, type Subject } from '$lib/server/pools/subject';
import btrfs from '$plugins/btrfs/plugin.server';

const spec = {
  guid: '11111111-1111-4111-8111-111111111111',
  label: 'Tank',
  layout: 'single',
  options: { compression: 'none' },
  mountPath: '/mnt/tank',
  mountPathExisted: false,
  drives: [{ id: 'a', serial: 'A', label: 'A', sizeBytes: 1, slot: 0, present: true, partitions: [] }],
} as unknown as PoolSpec;
const steps = (...mounted: string[]) => {
  const deps = { host: { mounts: () => mounted.map((path) => ({ path })) } };
  return mountAgain(
    deps as never,
    { plugin: btrfs(sdk), spec, record: {}, drives: [] } as unknown as Subject,
  );
};

test('a change of a mounted pool begins with its mount, for a reboot in the middle, and never takes that back', () => {
  expect(steps('/mnt/tank')).toMatchObject([
    {
      name: 'again-mount',
      title: 'After a reboot only: mount it at /mnt/tank',
      undo: 'nothing',
      look: { look: 'mounted', untilReboot: true },
    },
  ]);
});

test('a pool that is not mounted stays so', () => {
  expect(steps('/mnt/other')).toEqual([]);
});
