import { describe, expect, it } from 'vitest';
import { defaultMountPath, labelIssues, labelKey, mountPathIssues } from '$lib/shared/names';
import { formatBytes, usePercent } from '$lib/shared/units';
import { poolCreateRequest, requestIssues } from '$lib/shared/wire/requests';

const codeOf = (issues: { code: string }[]): string | null => issues[0]?.code ?? null;

describe('a label', () => {
  it.each([
    ['', 'label_empty'],
    ['   ', 'label_empty'],
    ['x'.repeat(33), 'label_too_long'],
    ['a\u0000b', 'label_invalid'],
    ['a\nb', 'label_invalid'],
    ['-rf', 'label_leading_dash'],
    ['a/b', 'label_invalid'],
    ['.hidden', 'label_invalid'],
    ['ends with space ', 'label_invalid'],
    ['tank', null],
    ['Tank één 2.0', null],
    ['数据', null],
    ['x'.repeat(32), null],
  ])('%j gives %s', (label, code) => expect(codeOf(labelIssues(label))).toBe(code));

  it('is the same in another case and another writing of an accent', () => {
    expect(labelKey('E\u0301T\u0045')).toBe(labelKey('éte'));
  });
});

describe('a mount path', () => {
  it.each([
    ['tank', 'mount_path_relative'],
    ['', 'mount_path_relative'],
    ['/mnt/../etc', 'mount_path_invalid'],
    ['/mnt/./a', 'mount_path_invalid'],
    ['/mnt//a', 'mount_path_invalid'],
    ['/mnt/a/', 'mount_path_invalid'],
    ['/', 'mount_path_invalid'],
    ['/mnt', 'mount_path_invalid'],
    ['/etc', 'mount_path_invalid'],
    ['/usr/share/x', 'mount_path_invalid'],
    ['/mnt/a\tb', 'mount_path_invalid'],
    ['/var/lib/cairn', 'mount_path_invalid'],
    ['/var/lib/cairn/mnt/tank', null],
    ['/mnt/tank', null],
    ['/srv/media/films', null],
  ])('%j gives %s', (path, code) => expect(codeOf(mountPathIssues(path, '/var/lib/cairn/mnt'))).toBe(code));

  it('is made from the label unless it is given', () => {
    expect(defaultMountPath('/mnt', 'Tank één', 'abcdefgh-1')).toBe('/mnt/tank-een');
    expect(defaultMountPath('/mnt', '数据', 'abcdefgh-1')).toBe('/mnt/pool-abcdefgh');
  });
});

describe('sizes and shares', () => {
  it.each([
    [0, '0 bytes'],
    [1536, '1.5 KiB'],
    [2 * 1024 ** 3, '2 GiB'],
    [123.4 * 1024 ** 2, '123 MiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
  it('are rounded up as df does', () => {
    expect(usePercent(5, 95)).toBe('5%');
    expect(usePercent(1, 9_999)).toBe('1%');
    expect(usePercent(0, 0)).toBe('0%');
    expect(usePercent(null, 1)).toBeNull();
  });
});

describe('the request for a pool', () => {
  const request = { label: 'a', plugin: 'btrfs', layout: 'raid1', drives: [{ serial: 'S' }] };
  it('refuses unknown fields by name and place', () => {
    const parsed = poolCreateRequest.safeParse({
      ...request,
      raid: 5,
      drives: [{ serial: 'S', path: '/dev/sda' }],
    });
    expect(requestIssues(parsed.error!).map(({ field, code }) => [field, code])).toEqual(
      expect.arrayContaining([
        ['raid', 'unknown_field'],
        ['drives.0.path', 'unknown_field'],
      ]),
    );
  });
  it('needs exactly one name for each drive', () => {
    for (const drive of [{}, { id: 'a', serial: 'b' }])
      expect(poolCreateRequest.safeParse({ ...request, drives: [drive] }).success).toBe(false);
  });
  it('takes a GUID in either case and fills in the options', () => {
    const poolGroupGuid = '04AE4F2B-562C-41FA-8C87-C34D7AA38F01';
    expect(poolCreateRequest.parse({ ...request, poolGroupGuid })).toMatchObject({
      poolGroupGuid: poolGroupGuid.toLowerCase(),
      options: {},
    });
  });
});
