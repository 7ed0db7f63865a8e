import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AppError } from '$lib/server/errors';
import {
  mergeSignatures,
  parseBlkid,
  parseSfdisk,
  parseWipefs,
  type BlkidAnswer,
} from '$lib/server/host/signatures';

const fixture = (tool: string, name: string): string =>
  readFileSync(new URL(`../../fixtures/${tool}/2.38.1-${name}`, import.meta.url), 'utf8');
const blkid = (name: string): BlkidAnswer => {
  const url = new URL(`../../fixtures/blkid/2.38.1-${name}.txt`, import.meta.url);
  return existsSync(url) ? parseBlkid(fixture('blkid', `${name}.txt`)) : { kind: 'nothing' };
};
const merged = (name: string) =>
  mergeSignatures(blkid(name), parseWipefs(fixture('wipefs', `${name}.json`))).map(
    ({ type, usage, label }) => `${type} ${usage} ${label}`,
  );

test.each([
  ['ext4', ["ext4 filesystem a b'c"]],
  ['xfs', ['xfs filesystem tank']],
  ['btrfs', ['btrfs filesystem tank']],
  ['swap', ['swap other null']],
  ['gpt', ['gpt partition-table null']],
  ['dos', ['dos partition-table null']],
  ['gpt-ext4-partition', ['ext4 filesystem null']],
  ['gpt-empty-partition', []],
  ['blank', []],
])('recorded output of a drive with %s gives its signatures', (name, signatures) => {
  expect(merged(name)).toEqual(signatures);
});

test('a label with letters beyond ASCII is read as it was given', () => {
  expect(blkid('ext4-umlaut')).toMatchObject({ label: 'grün M-C' });
  expect(parseWipefs(fixture('wipefs', 'ext4-umlaut.json'))[0]).toMatchObject({ label: 'grün M-C' });
});

test('the backup copy of a partition table counts, though blkid says nothing', () => {
  expect(merged('gpt-backup-only')).toEqual(['gpt partition-table null']);
});

test('where blkid cannot decide, every filesystem that is there is named', () => {
  const raw = parseWipefs(fixture('wipefs', 'ambivalent.json'));
  const types = mergeSignatures({ kind: 'ambivalent' }, raw).map((signature) => signature.type);
  expect(types.sort()).toEqual(['btrfs', 'ext4']);
});

test('a partition tells its own UUID and name', () => {
  expect(blkid('gpt-empty-partition')).toMatchObject({
    type: null,
    partitionUuid: 'b0de97e6-ba53-fa4d-9083-078af8c9bfb9',
    partitionName: 'first part',
  });
});

test('a partition table is read with its GUID and its partitions', () => {
  expect(parseSfdisk(fixture('sfdisk', 'gpt.json'))).toMatchObject({
    label: 'gpt',
    id: '8aa511af-0a63-804b-a2d5-28d0c3e868b7',
    partitions: [
      { number: 1, uuid: 'b0de97e6-ba53-fa4d-9083-078af8c9bfb9', startSector: 2048, sectors: 204800 },
      { number: 2, uuid: 'c0de97e6-ba53-fa4d-9083-078af8c9bfb9' },
    ],
  });
});

test.each([
  ['blkid', () => parseBlkid('something went wrong')],
  ['wipefs', () => parseWipefs('{"signatures": "none"}')],
  ['wipefs', () => parseWipefs('DEVICE OFFSET TYPE')],
  ['sfdisk', () => parseSfdisk('{"partitiontable": {}}')],
  ['sfdisk', () => parseSfdisk('sfdisk: cannot open')],
])('output of %s that is not understood is an error, never "nothing there"', (tool, parse) => {
  let thrown: unknown;
  try {
    parse();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(AppError);
  expect(thrown).toMatchObject({ code: 'parse_failed', details: { tool } });
});
