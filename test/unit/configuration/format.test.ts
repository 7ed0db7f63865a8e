import { describe, expect, it } from 'vitest';
import { copyText, LARGEST_COPY_BYTES, readCopy, sameness } from '$lib/server/configuration/format';
import { configurationConditions } from '$lib/server/alerts/configuration-conditions';
import type { ConfigurationContent } from '$lib/shared/wire/configuration';
import { AppError } from '$lib/server/errors';
import { createHash } from 'node:crypto';
import { canonicalJson } from '$lib/shared/json';

const content = (change: Partial<ConfigurationContent> = {}): ConfigurationContent => ({
  ...{ version: '1.0.0', hostname: 'nas', createdAt: 1_700_000_000_000, sequence: 7 },
  nodeId: '0f2c1f63-2b68-4f6e-9d0c-0d1c2b3a4f55',
  ...{ pools: [], drives: [], vms: [], images: [], catalogEntries: [], schedules: [], snapshots: [] },
  ...{
    channels: [],
    users: [{ name: 'ann', role: 'admin', secondFactor: true }],
    apiKeys: [],
    bridges: [],
    settings: {},
  },
  ...{ plugins: [], removedVms: [], updateChannel: null, certificate: null },
  ...change,
});
/** With a checksum that fits, whatever is in it. */
const signed = (inner: unknown, more: object = {}): string =>
  JSON.stringify({
    ...{ cairn: 'configuration', format: 1, content: inner },
    sha256: createHash('sha256').update(canonicalJson(inner)).digest('hex'),
    ...more,
  });
function refusal(text: string): string {
  try {
    readCopy(text);
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'it was read';
}

describe('the file of a configuration', () => {
  it('is read as it was written, and tells a change from another time', () => {
    const text = copyText(content());
    expect(readCopy(text).content).toEqual(content());
    expect(sameness(content({ createdAt: 5, sequence: 9 }))).toBe(sameness(content()));
    expect(sameness(content({ hostname: 'other' }))).not.toBe(sameness(content()));
  });

  it.each([
    ['nothing', '', /cut off/],
    ['half of it', copyText(content()).slice(0, 200), /cut off/],
    ['something else', '{"hello":1}', /no copy of a configuration/],
    ['null', 'null', /no copy of a configuration/],
    ['a changed word', copyText(content()).replace('"nas"', '"sun"'), /checksum/],
    ['a format of tomorrow', signed(content(), { format: 2 }), /newer Cairn/],
    ['no content', signed(null), /no Cairn writes/],
    [
      'a role that there is not',
      signed({ ...content(), users: [{ name: 'x', role: 'root' }] }),
      /users\.0\.role/,
    ],
    ['a deep nest', '['.repeat(100_000), /cut off/],
    ['too much', ' '.repeat(LARGEST_COPY_BYTES + 1), /larger/],
  ])('is refused by name when it is %s', (_, text, why) => {
    expect(refusal(text)).toMatch(/^configuration_unusable: /);
    expect(refusal(text)).toMatch(why);
  });

  it.each(['../../etc/shadow', '/etc/shadow', 'images/../../x', 'a//b', '.', ''])(
    'names no image outside of a pool: %s',
    (file) => {
      const image = {
        ...{ id: content().nodeId, name: 'x', kind: 'disk', format: 'raw', origin: 'upload', file },
        ...{ poolGuid: content().nodeId, os: null, arch: null, checksum: null, catalogId: null, url: null },
        ...{ defaultUser: null, minDiskBytes: null, minMemoryBytes: null, sizeBytes: 1, createdAt: 1 },
      };
      expect(refusal(signed({ ...content(), images: [image] }))).toMatch(/images\.0\.file/);
      expect(refusal(signed({ ...content(), images: [{ ...image, file: 'images/x.raw' }] }))).toBe(
        'it was read',
      );
    },
  );

  it('is an alert when none is fresh, and none while all is well', () => {
    expect(configurationConditions(null)).toEqual([]);
    expect(configurationConditions({ writtenAt: 1, overdue: false, problem: null })).toEqual([]);
    const [old] = configurationConditions({ writtenAt: 1, overdue: true, problem: 'tank: full.' });
    expect(old).toMatchObject({ severity: 'warning', title: 'The copy of the configuration is old' });
    expect(old?.text).toContain('tank: full.');
    const [none] = configurationConditions({ writtenAt: null, overdue: true, problem: null });
    expect(none?.title).toBe('No pool holds a copy of the configuration');
  });
});
