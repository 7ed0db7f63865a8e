import { expect, test } from 'vitest';
import type { StepRow } from '$lib/server/operations/journal';
import { undoneByReboot } from '$lib/server/operations/reboot';
import type { StepState } from '$lib/shared/states';
import { looks, not, type Look } from '$lib/plugin-api/plan';

const rows = (...steps: [Look, StepState, string | null][]): StepRow[] =>
  steps.map(([look, state, bootId], index) => ({ index, look, state, bootId }) as StepRow);
const mounted = looks.mounted('/mnt/a', 'uuid');
const again = (...steps: [Look, StepState, string | null][]) => [...undoneByReboot(rows(...steps), 'now')];

test('a mount of an earlier boot is looked at again, a filesystem is not', () => {
  const made = looks.filesystem({ drive: 'a' }, 'ext4', 'uuid');
  expect(again([made, 'done', 'then'], [mounted, 'done', 'then'])).toEqual([1]);
  expect(again([mounted, 'skipped', 'then'])).toEqual([0]);
});

test('nothing is looked at again that was done in this boot, or not at all', () => {
  expect(again([mounted, 'done', 'now'], [looks.mounted('/mnt/b', 'uuid'), 'acting', null])).toEqual([]);
});

test('of unmount, change and mount only the last that is finished counts', () => {
  const change = looks.identity('/mnt/a/x', 'text');
  expect(again([not(mounted), 'done', 'then'], [change, 'acting', null], [mounted, 'pending', null])).toEqual(
    [0],
  );
  expect(again([not(mounted), 'done', 'then'], [change, 'done', 'then'], [mounted, 'done', 'then'])).toEqual([
    2,
  ]);
});
