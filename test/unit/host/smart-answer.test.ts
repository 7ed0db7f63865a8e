import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSmart } from '$lib/server/host/smart';
import { parseSmart, type SmartReading } from '$lib/server/host/smart-answer';

const text = (name: string): string =>
  readFileSync(new URL(`../../fixtures/smartctl/${name}.json`, import.meta.url), 'utf8');
const exitOf = (name: string): number =>
  (JSON.parse(text(name)) as { smartctl: { exit_status: number } }).smartctl.exit_status;
const answer = (name: string) => parseSmart(text(name), exitOf(name));
function reading(name: string): SmartReading {
  const found = answer(name);
  if (found.kind !== 'reading') throw new Error(`${name} is no reading but ${found.kind}`);
  return found.reading;
}

describe('a healthy drive', () => {
  test('on SATA tells temperature, hours, counters and how long its tests take', () => {
    expect(reading('7.3-sata')).toMatchObject({
      passed: true,
      reasons: [],
      temperatureCelsius: 31,
      powerOnHours: 1,
      counters: { reallocated: 0 },
      selfTest: { whyNot: null, running: null, shortMinutes: 2, longMinutes: 54, log: [] },
    });
  });
  test('on NVMe tells its wear; without a log of self-tests it says that it has none', () => {
    const { selfTest, ...rest } = reading('7.3-nvme');
    expect(rest).toMatchObject({ passed: true, temperatureCelsius: 50, counters: { wornPercent: 0 } });
    expect(selfTest.whyNot).toContain('no self-tests');
  });
  test('on SAS tells grown defects and what could not be corrected', () => {
    expect(reading('sample-7.4-sas')).toMatchObject({
      passed: true,
      temperatureCelsius: 34,
      powerOnHours: 43_549,
      counters: { reallocated: 56, uncorrectable: 3 },
      selfTest: {
        longMinutes: 545,
        log: [{ result: 'passed' }, { result: 'failed', lba: 123_456, powerOnHours: 42_000 }],
      },
    });
  });
});

describe('a failing drive', () => {
  test('on SATA says which attribute fell below its limit', () => {
    const found = reading('sample-7.4-sata-failing');
    expect(found.passed).toBe(false);
    expect(found.reasons).toEqual(['Reallocated Sector Ct is below its limit (3, limit 36).']);
    expect(found.counters).toEqual({ reallocated: 63_904, pending: 1_200, uncorrectable: 1_200, crc: 0 });
    expect(found.attributes.map(({ id, failed }) => [id, failed])).toContainEqual([190, 'past']);
    expect(found.selfTest.log.map((entry) => entry.result)).toEqual(['failed', 'broken-off', 'passed']);
  });
  test('on NVMe says what its critical warning means', () => {
    const found = reading('sample-7.4-nvme-worn');
    expect(found.passed).toBe(false);
    expect(found.reasons).toEqual([
      'Its spare blocks are nearly used up.',
      'It has made too many errors to be relied on.',
    ]);
    expect(found.counters).toEqual({ uncorrectable: 7, wornPercent: 104 });
  });
  test('is not what a drive is called that is only too hot', () => {
    expect(reading('sample-7.4-nvme-hot')).toMatchObject({ passed: true, temperatureCelsius: 86 });
  });
});

describe('a drive that tests itself', () => {
  test('on SATA says how far it is, and keeps the running test out of the log', () => {
    const { selfTest } = reading('sample-7.3-sata-testing');
    expect(selfTest.running).toEqual({ percent: 30 });
    expect(selfTest.log.map((entry) => entry.powerOnHours)).toEqual([8_500]);
  });
  test('on NVMe says how far it is', () => {
    const { selfTest } = reading('sample-7.4-nvme-testing');
    expect(selfTest.running).toEqual({ percent: 35 });
    expect(selfTest.log.map((entry) => entry.result)).toEqual(['passed', 'failed']);
  });
  test('shows the result afterwards', () => {
    expect(reading('7.3-sata-tested').selfTest.log).toEqual([
      {
        kind: 'Short offline',
        result: 'passed',
        text: 'Completed without error',
        powerOnHours: 4_660,
        lba: null,
      },
    ]);
  });
});

test.each(['sample-7.2-standby', 'sample-7.5-standby'])('%s is a state, not an error', (name) => {
  expect(answer(name)).toEqual({ kind: 'standby' });
});

test.each(['7.3-virtio', '7.3-scsi', 'sample-7.2-usb-bridge'])(
  '%s has no SMART data, and says so',
  (name) => {
    expect(answer(name)).toMatchObject({ kind: 'unsupported' });
  },
);

test('a drive that cannot be opened is an error with the reason', () => {
  expect(() => answer('7.3-missing')).toThrow(/No such device/);
});

test.each([
  ['no JSON', 'smartctl 7.3 2022-02-28 r5338', 0],
  [
    'another version of the format',
    text('7.3-sata').replace('"json_format_version": [\n    1,', '"json_format_version": [\n    2,'),
    0,
  ],
  ['an exit code that it does not name', text('7.3-sata'), 4],
  ['a health of another shape', text('7.3-sata').replace('"passed": true', '"passed": "yes"'), 0],
  [
    'nothing about the drive',
    '{"json_format_version":[1,0],"smartctl":{"exit_status":0},"device":{"protocol":"ATA"}}',
    0,
  ],
  ['cut output', text('7.3-nvme').slice(0, 900), 0],
])('%s is an error, never health', (_what, output, exit) => {
  expect(() => parseSmart(output, exit)).toThrow(expect.objectContaining({ code: 'parse_failed' }));
});

test.each(['loop', 'virtio', 'mmc'] as const)('a drive on %s is not even asked', async (bus) => {
  const read = () => Promise.reject(new Error('was asked'));
  expect(await readSmart({ read }, { path: '/dev/x', bus })).toMatchObject({ kind: 'unsupported' });
});
