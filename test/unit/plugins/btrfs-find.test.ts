import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseChunkTree, parseDataProfiles, parseSuper } from '../../../plugins/btrfs/parse-super';

const fixture = (name: string): string => readFileSync(`test/fixtures/btrfs/${name}`, 'utf8');

describe('btrfs that is not mounted', () => {
  it('says in each superblock who it is, which member this is, and how many there are', () => {
    expect(parseSuper(fixture('dump-super-6.2-raid1-second.txt'))).toEqual({
      uuid: '11111111-2222-4333-8444-555555555501',
      label: 'my tank',
      deviceCount: 2,
      devid: 2,
      deviceBytes: 300 * 1024 ** 2,
    });
    expect(parseSuper(fixture('dump-super-6.2-no-label.txt')).label).toBe('');
  });
  it('says in its chunk tree which profile its data has, also with a member missing', () => {
    const whole = {
      devices: [1, 2].map((devid) => ({ devid, sizeBytes: 300 * 1024 ** 2 })),
      dataProfiles: ['raid1'],
    };
    expect(parseChunkTree(fixture('dump-tree-6.2-raid1.txt'))).toEqual(whole);
    expect(parseChunkTree(fixture('dump-tree-6.2-raid1-missing.txt'))).toEqual(whole);
    expect(parseChunkTree(fixture('dump-tree-6.2-mixed.txt')).dataProfiles).toEqual(['single']);
  });
  it('says the same while it is mounted', () => {
    expect(parseDataProfiles(fixture('df-6.2-raid1.txt'))).toEqual(['raid1']);
    expect(parseDataProfiles(fixture('df-6.2-mixed.txt'))).toEqual(['single']);
  });
  it.each([
    '',
    'ERROR: bad magic on superblock on /dev/sdb at 65536\n',
    'superblock: bytenr=65536, device=/dev/sdb\n',
  ])('is an error when the tool says %j', (text) => {
    expect(() => parseSuper(text)).toThrow();
    expect(() => parseChunkTree(text)).toThrow();
    expect(() => parseDataProfiles(text)).toThrow();
  });
  it('is an error when a chunk has a profile that is not known', () => {
    const text = fixture('dump-tree-6.2-raid1.txt').replaceAll('DATA|RAID1', 'DATA|SHINY');
    expect(() => parseChunkTree(text)).toThrow(/SHINY/);
  });
});
