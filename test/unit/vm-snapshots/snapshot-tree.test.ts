import { describe, expect, it } from 'vitest';
import { treeOf } from '$lib/features/vm-snapshots/snapshot-tree';
import type { VmSnapshot } from '$lib/shared/wire/vm-snapshots';

let at = 0;
const snapshot = (name: string, parent: string | null = null): VmSnapshot => ({
  ...{ name, parent, createdAt: (at += 1_000), description: null, isCurrent: false, wasIn: 'off' },
  ...{ memoryBytes: null, restoreWhy: null, deleteWhy: null, size: { cpus: 1, memoryBytes: 1 } },
});
const shown = (snapshots: VmSnapshot[]) =>
  treeOf(snapshots).map(({ snapshot: { name }, depth, upon }) => [name, depth, upon]);

describe('the tree of snapshots', () => {
  it('is one line as long as each goes on from the one before', () => {
    const chain = [snapshot('a'), snapshot('b', 'a'), snapshot('c', 'b')];
    expect(shown(chain.toReversed())).toEqual([
      ['a', 0, null],
      ['b', 0, null],
      ['c', 0, null],
    ]);
  });
  it('branches where the machine went on twice, and says upon what where that is not right above', () => {
    const all = [snapshot('a'), snapshot('b', 'a'), snapshot('c', 'b'), snapshot('d', 'a')];
    expect(shown(all)).toEqual([
      ['a', 0, null],
      ['b', 1, null],
      ['c', 1, null],
      ['d', 1, 'a'],
    ]);
  });
  it('begins anew with one whose origin is gone, and shows each once', () => {
    expect(shown([snapshot('b', 'gone'), snapshot('c')])).toEqual([
      ['b', 0, null],
      ['c', 0, null],
    ]);
  });
});
