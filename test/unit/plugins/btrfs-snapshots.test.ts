import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { PoolSpec } from '$lib/plugin-api/storage';
import createPlugin from '$plugins/btrfs/plugin.server';
import {
  parseDefault,
  parseExclusive,
  parseReadOnly,
  parseRootId,
  parseSubvolumes,
  parseTimes,
} from '$plugins/btrfs/parse-subvolumes';
import { childrenOf } from '$plugins/btrfs/subvolumes';

const plugin = createPlugin(sdk);
const spec: PoolSpec = {
  guid: '7b1f0a52-3c1d-4e8a-9f60-000000000001',
  label: 'tank',
  layout: 'single',
  options: { compression: 'zstd' },
  mountPath: '/mnt/tank',
  mountPathExisted: false,
  drives: [
    {
      ...{ id: 'serial:A', serial: 'A', label: 'A', sizeBytes: 2 ** 30, slot: 0 },
      ...{ contentHash: 'blank', partitions: [], present: true },
    },
  ],
};

// btrfs-progs 6.2
const LIST = `ID 256 gen 11 parent 257 top level 257 parent_uuid -                                    uuid 618043c2-35ba-be4a-a93d-95c3bee1203a path .snapshots/K
ID 257 gen 11 parent 259 top level 259 parent_uuid -                                    uuid 14670b81-e2a8-a640-ba06-6e007c19c254 path .snapshots
ID 258 gen 10 parent 257 top level 257 parent_uuid 618043c2-35ba-be4a-a93d-95c3bee1203a uuid 857640b7-95db-724d-9ebf-b794dea814e1 path .snapshots/s1
ID 259 gen 11 parent 5 top level 5 parent_uuid 857640b7-95db-724d-9ebf-b794dea814e1 uuid 1c0029d0-2923-8b4e-9c31-3a79e1694a6e path data
`;

describe('what btrfs says of subvolumes', () => {
  it('is read with who lies in whom', () => {
    const all = parseSubvolumes(LIST);
    expect(all.map(({ id, parentId, path }) => `${id} in ${parentId}: ${path}`)).toEqual([
      '256 in 257: .snapshots/K',
      '257 in 259: .snapshots',
      '258 in 257: .snapshots/s1',
      '259 in 5: data',
    ]);
    expect([...childrenOf(all, 257, '.snapshots').keys()]).toEqual(['K', 's1']);
    expect([...childrenOf(all, 259, '').keys()]).toEqual(['.snapshots']);
    expect(parseSubvolumes('')).toEqual([]);
  });
  it('is read with times, flags, the default and sizes', () => {
    const time =
      'ID 258 gen 8 cgen 8 top level 257 otime 2026-11-21 17:07:03 uuid 857640b7-95db-724d-9ebf-b794dea814e1 path .snapshots/s1\n';
    expect(parseTimes(time)).toEqual(new Map([[258, new Date(2026, 10, 21, 17, 7, 3).getTime()]]));
    expect(parseReadOnly('ID 258 gen 8 top level 257 path .snapshots/s1\n')).toEqual(new Set([258]));
    expect(parseDefault('ID 256 gen 8 top level 5 path data\n')).toBe(256);
    expect(parseDefault('ID 5 (FS_TREE)\n')).toBe(5);
    expect(parseRootId('256\n')).toBe(256);
    const sizes = '     Total   Exclusive  Set shared  Filename\n   8388608     4096           0  m/s1\n';
    expect(parseExclusive(sizes)).toBe(4096);
  });
  it.each([
    ['subvolumes', () => parseSubvolumes('ERROR: not a btrfs filesystem\n')],
    ['times', () => parseTimes('gibberish\n')],
    ['flags', () => parseReadOnly('gibberish\n')],
    ['the default', () => parseDefault('')],
    ['an id', () => parseRootId('')],
    ['sizes', () => parseExclusive('')],
  ])('that is not understood is an error, never "nothing there": %s', (_what, parse) => {
    expect(parse).toThrow();
  });
});

describe('the plans', () => {
  const names = (steps: { name: string }[]): string[] => steps.map(({ name }) => name);
  const rollBack = plugin.snapshots.rollBack(spec, { name: 'one', keepAs: 'kept' });

  it('put the files of a new pool into a subvolume', () => {
    expect(names(plugin.create(spec))).toEqual([
      ...[
        'make-filesystem',
        'make-mount-point',
        'protect-mount-point',
        'open-top-level',
        'make-data-subvolume',
      ],
      ...['choose-data-subvolume', 'close-top-level', 'mount', 'make-identity-folder', 'write-identity'],
    ]);
  });
  it('of a roll back move what is there aside before anything takes its place, and choose it last', () => {
    expect(names(rollBack)).toEqual([
      ...['unmount', 'open-top-level', 'copy-snapshot', 'hand-over-snapshots', 'keep-state', 'put-in-place'],
      ...[
        'protect-kept',
        'choose-copy',
        'close-top-level',
        'mount',
        'make-identity-folder',
        'refresh-identity',
      ],
    ]);
    expect(rollBack.find(({ name }) => name === 'open-top-level')).toMatchObject({
      look: { untilReboot: true },
      run: { options: expect.arrayContaining(['subvolid=5']) },
    });
  });
  it('of a roll back remove nothing but, on the way back, the copy that nobody could write to', () => {
    const lines = JSON.stringify(rollBack.map(({ run }) => run));
    expect(lines).not.toContain('delete');
    const removed = rollBack.filter(({ undo }) => JSON.stringify(undo).includes('"delete"'));
    expect(names(removed)).toEqual(['copy-snapshot']);
  });
  it.each(['../data', 'a/b', '', '.', '-r'])('refuse a snapshot called %j', (name) => {
    expect(() => plugin.snapshots.create(spec, { name })).toThrow(TypeError);
    expect(() => plugin.snapshots.destroy(spec, { name })).toThrow(TypeError);
    expect(() => plugin.snapshots.rollBack(spec, { name: 'one', keepAs: name })).toThrow(TypeError);
  });
});
