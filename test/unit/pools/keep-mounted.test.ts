import { expect, test, vi } from 'vitest';
import type { Step } from '$lib/plugin-api/plan';
import * as sdk from '$lib/plugin-api';
import type { PoolSpec } from '$lib/plugin-api/storage';
import { keepMounted, stopKeeping } from '$lib/server/pools/keep-mounted';
import btrfs from '$plugins/btrfs/plugin.server';

vi.mock(import('$lib/server/host/mount-command'), async (original) => ({
  ...(await original()),
  systemdRuns: () => true,
}));

const plugin = btrfs(sdk);
const spec = {
  guid: '11111111-1111-4111-8111-111111111111',
  label: 'Tank',
  layout: 'single',
  options: { compression: 'zstd' },
  mountPath: '/mnt/tank',
  mountPathExisted: false,
  drives: [{ id: 'a', serial: 'A', label: 'A', sizeBytes: 1, slot: 0, present: true, contentHash: 'blank' }],
} as unknown as PoolSpec;
const unitOf = (steps: Step[]): string => {
  const step = steps.find(({ name }) => name === 'write-mount-unit');
  return step?.run.do === 'write-file' ? step.run.content : '';
};

test('PID 1 mounts a new pool as Cairn does at the end, not as it was mounted while it was made', () => {
  const unit = unitOf(keepMounted({}, spec, plugin.create(spec)));
  expect(unit).toContain('Options=noatime,nodev,nosuid,compress=zstd,nofail\n');
  expect(unitOf(keepMounted({}, spec, plugin.mount?.(spec) ?? []))).toBe(unit);
});

test('the unit comes back as it was when a removal is taken back', () => {
  const removed = stopKeeping({}, spec, plugin.destroy(spec)).find(
    ({ name }) => name === 'remove-mount-unit',
  );
  expect(removed?.undo).toMatchObject([
    { do: 'write-file', content: unitOf(keepMounted({}, spec, plugin.mount?.(spec) ?? [])) },
  ]);
});
