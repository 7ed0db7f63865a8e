/** Which part of each drive is of use, learnt from the plugins' own functions. Sizes in TB. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { StoragePlugin } from '$lib/plugin-api/storage';
import { planOf } from '$lib/server/plugins/capacity';
import makeBtrfs from '$plugins/btrfs/plugin.server';
import makeLvm from '$plugins/lvm/plugin.server';
import makeMdraid from '$plugins/mdraid/plugin.server';
import makeSingle from '$plugins/single-drive/plugin.server';
import makeZfs from '$plugins/zfs/plugin.server';

const TB = 1e12;
const plugins: StoragePlugin[] = [makeBtrfs, makeLvm, makeMdraid, makeSingle, makeZfs].map((make) =>
  make(sdk),
);
const named = (id: string): StoragePlugin => plugins.find((one) => one.id === id) ?? expect.fail(id);
const plan = (id: string, layout: string, sizes: number[]) =>
  planOf(named(id), { layout, options: {}, driveSizesBytes: sizes.map((size) => size * TB) });
const inTB = (bytes: number): number => Math.round((bytes / TB) * 10) / 10;

test.each<[string, string, number[], { usable: number; wasted: number[] }]>([
  ['btrfs', 'raid1', [4, 4, 8], { usable: 8, wasted: [0, 0, 0] }],
  ['btrfs', 'raid1', [1, 1, 8], { usable: 2, wasted: [0, 0, 6] }],
  ['btrfs', 'raid1', [4, 4, 4], { usable: 6, wasted: [0, 0, 0] }],
  ['btrfs', 'single', [1, 8], { usable: 9, wasted: [0, 0] }],
  ['mdraid', 'raid5', [4, 4, 8], { usable: 8, wasted: [0, 0, 4] }],
  ['mdraid', 'raid6', [4, 8, 8, 8], { usable: 8, wasted: [0, 4, 4, 4] }],
  ['mdraid', 'raid1', [4, 10], { usable: 4, wasted: [0, 6] }],
])('%s %s of %j TB', (id, layout, sizes, { usable, wasted }) => {
  const found = plan(id, layout, sizes);
  expect(inTB(found.usableBytes)).toBeCloseTo(usable, 0);
  expect(found.drives.map((drive) => Math.round(drive.wastedBytes / TB))).toEqual(wasted);
});

describe('every layout of every plugin', () => {
  const layouts = plugins.flatMap((plugin) =>
    plugin.layouts.map((layout) => [plugin.id, layout.id] as const),
  );
  it.each(layouts)('%s %s: nothing is counted twice, and nothing is lost sight of', (id, layout) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        const found = plan(id, layout, sizes);
        const parts = found.usableBytes + found.copiesBytes + found.overheadBytes + found.wastedBytes;
        expect(Math.abs(parts - found.rawBytes)).toBeLessThan(1_000);
        for (const drive of found.drives) {
          const own = drive.usableBytes + drive.copiesBytes + drive.wastedBytes;
          expect(Math.abs(own - drive.sizeBytes)).toBeLessThan(1_000);
          expect(Math.min(drive.usableBytes, drive.copiesBytes, drive.wastedBytes)).toBeGreaterThanOrEqual(0);
        }
        expect(found.fits || found.usableBytes === 0).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

it('says how many drives are missing before a layout can hold anything', () => {
  expect(plan('mdraid', 'raid6', [4, 4])).toMatchObject({
    ...{ fits: false, usableBytes: 0, toleranceText: 'needs 2 more drives' },
  });
});

it('is quick for many drives: pages ask for it while a slider moves', () => {
  const began = performance.now();
  plan(
    'btrfs',
    'raid10',
    Array.from({ length: 24 }, (_, index) => 4 + (index % 5)),
  );
  expect(performance.now() - began).toBeLessThan(1_500);
});
