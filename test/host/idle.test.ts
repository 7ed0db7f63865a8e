/** An appliance that nobody uses leaves its drives alone, so that they can sleep. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { loopsBelow } from '../../src/cli/leftovers';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';

/** Longer than a minute, so that every job by the clock has its turn. */
const IDLE_MS = 65_000;
const GUID = crypto.randomUUID();
let before: Traces;
let appliance: Appliance;
beforeEach(() => {
  before = traces();
  appliance = new Appliance({ drives: 4 });
});
afterEach(async () => {
  await appliance.remove();
  await expectNoLeaks(before);
});

/** Requests that each drive has answered: reads, writes. Documentation/block/stat of Linux. */
const answered = (): Record<string, string> =>
  Object.fromEntries(
    loopsBelow(appliance.dataDir).map(({ device, file }) => {
      const fields = readFileSync(`/sys/block/${device.slice('/dev/'.length)}/stat`, 'utf8')
        .trim()
        .split(/\s+/);
      return [file.slice(file.lastIndexOf('/') + 1), `${fields[0]} reads, ${fields[4]} writes`];
    }),
  );
async function asked(path: string, body?: unknown): Promise<void> {
  const answer = await appliance.rest('POST', path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  while (appliance.query("SELECT 1 FROM operations WHERE state = 'running'").length > 0) await sleep(20);
}

/** As a container does that starts and ends. */
function mountElsewhere(): void {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-elsewhere-'));
  try {
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', 'elsewhere', folder]);
    execFileSync('/usr/bin/umount', [folder]);
  } finally {
    rmdirSync(folder);
  }
}

it(
  'reads nothing from drives that are free or whose pool is unmounted, for a minute',
  { timeout: 240_000 },
  async () => {
    await appliance.start();
    await appliance.setUp();
    const serials = appliance
      .query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1 ORDER BY serial')
      .map(({ serial }) => ({ serial }));
    await asked('/pools', {
      ...{ poolGroupGuid: GUID, label: 'asleep', plugin: 'btrfs', layout: 'raid1' },
      drives: serials.slice(0, 2),
    });
    await asked(`/pools/${GUID}/unmount`);
    // What an operation released is looked at once more.
    await sleep(5_000);
    const was = answered();
    expect(Object.keys(was)).toHaveLength(4);
    await sleep(IDLE_MS / 2);
    mountElsewhere();
    await sleep(IDLE_MS / 2);
    expect(answered()).toEqual(was);
  },
);
