/** What else a process meets: being stopped, a full disk, a clock that jumps, a second start. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Operation } from '$lib/shared/wire/operations';
import { Appliance } from '../support/appliance';
import { expectNoLeaks, traces } from '../support/leaks';
import { machineState } from './machine-state';
import { settled } from './matrix';

const before = traces();
const open: Appliance[] = [];
const cleanUps: (() => void)[] = [];
afterEach(async () => {
  const used = open.splice(0);
  for (const made of used) await made.remove();
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp();
  for (const { dataDir } of used) await expectNoLeaks(before, dataDir);
});

async function appliance(options: ConstructorParameters<typeof Appliance>[0] = {}): Promise<Appliance> {
  const made = new Appliance({ drives: 2, ...options });
  open.push(made);
  await made.start();
  await made.setUp();
  return made;
}

const GUID = '7b1f0a52-3c1d-4e8a-9f60-000000000009';
const request = (made: Appliance) => ({
  poolGroupGuid: GUID,
  label: 'tank',
  plugin: 'single-drive',
  layout: 'single',
  drives: made
    .query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1 ORDER BY serial LIMIT 1')
    .map(({ serial }) => ({ serial })),
});
const operationId = (made: Appliance): string =>
  made.query<{ id: string }>(
    "SELECT id FROM operations WHERE kind = 'pool.create' ORDER BY seq DESC LIMIT 1",
  )[0]?.id ?? '';

async function stepDone(made: Appliance, name: string): Promise<string> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const id = operationId(made);
    if (
      made.query('SELECT 1 FROM steps WHERE operation_id = ? AND name = ? AND state = ?', id, name, 'done')
        .length > 0
    )
      return id;
    await sleep(10);
  }
  throw new Error(`step ${name} was not done`);
}

describe('a process that is stopped', () => {
  it('for longer than its lease goes on where it was: nothing is recovered under its feet', async () => {
    const made = await appliance({ env: { CAIRN_LEASE_MS: '400', CAIRN_SWEEP_CRON: '* * * * * *' } });
    made.crashAt('done@pool.create/make-filesystem:wait-1500');
    await made.rest('POST', '/pools', request(made));
    const id = await stepDone(made, 'make-filesystem');
    process.kill(made.pid, 'SIGSTOP');
    await sleep(2_500);
    process.kill(made.pid, 'SIGCONT');
    expect(await settled(made, id)).toMatchObject({ state: 'succeeded', verdict: null });
  });

  it('and then killed leaves an operation that the next start takes back', async () => {
    const made = await appliance();
    const start = machineState(made);
    made.crashAt('done@pool.create/make-filesystem:wait-60000');
    await made.rest('POST', '/pools', request(made));
    const id = await stepDone(made, 'make-filesystem');
    process.kill(made.pid, 'SIGSTOP');
    await made.kill('SIGKILL');
    made.crashAt('');
    await made.start();
    expect(await settled(made, id)).toMatchObject({ state: 'failed', verdict: 'taken-back' });
    expect(machineState(made)).toEqual(start);
  });
});

describe('SIGTERM', () => {
  it('waits for what runs, and ends with everything where it should be', async () => {
    const made = await appliance();
    made.crashAt('done@pool.create/make-filesystem:wait-800');
    await made.rest('POST', '/pools', request(made));
    const id = await stepDone(made, 'make-filesystem');
    await made.kill('SIGTERM');
    await made.start();
    expect((await made.rest<Operation>('GET', `/operations/${id}`)).body).toMatchObject({
      state: 'succeeded',
      verdict: null,
    });
  });
});

describe('a clock that was moved a day', () => {
  it.each(['+1d', '-1d'])('(%s) between a crash and the next start changes no verdict', async (offset) => {
    const made = await appliance();
    const start = machineState(made);
    made.crashAt('done@pool.create/make-filesystem:wait-60000');
    await made.rest('POST', '/pools', request(made));
    const id = await stepDone(made, 'make-filesystem');
    await made.kill('SIGKILL');
    made.crashAt('');
    const library = spawnSync('/usr/bin/find', ['/usr/lib', '-name', 'libfaketimeMT.so.1'], {
      encoding: 'utf8',
    }).stdout.trim();
    expect(library).not.toBe('');
    await made.start({ LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' });
    expect(await settled(made, id)).toMatchObject({ state: 'failed', verdict: 'taken-back' });
    expect(machineState(made)).toEqual(start);
  });
});

describe('two starts at once', () => {
  it('give one server; the other ends with a sentence that names the first', async () => {
    const first = new Appliance({ drives: 1 });
    open.push(first);
    const second = new Appliance({ drives: 1, dataDir: first.dataDir });
    const results = await Promise.allSettled([first.start(), second.start()]);
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed).toHaveLength(1);
    const winner = results[0].status === 'fulfilled' ? first : second;
    const loser = winner === first ? second : first;
    expect(loser.output).toMatch(/already runs/);
    expect(loser.output).toContain(String(winner.pid));
    await second.kill('SIGKILL');
  });
});

describe('a full system disk', () => {
  /** A data directory on a file system of its own, small enough to be filled. */
  function smallDisk(): string {
    const home = mkdtempSync(join(tmpdir(), 'cairn-full-'));
    const image = join(home, 'disk.img');
    const dir = join(home, 'data');
    mkdirSync(dir);
    spawnSync('/usr/bin/truncate', ['-s', '200M', image]);
    spawnSync('/usr/sbin/mkfs.ext4', ['-q', '-m', '0', image]);
    const mounted = spawnSync('/usr/bin/mount', ['-o', 'loop', image, dir], { encoding: 'utf8' });
    if (mounted.status !== 0) throw new Error(mounted.stderr);
    cleanUps.push(() => {
      spawnSync('/usr/bin/umount', [dir]);
      rmSync(home, { recursive: true, force: true });
    });
    const dataDir = join(dir, 'cairn');
    mkdirSync(dataDir);
    return dataDir;
  }
  function fill(dir: string): () => void {
    const path = join(dir, 'filler');
    let size = statfsSync(dir).bavail * statfsSync(dir).bsize;
    for (let part = 0; size > 0; part += 1) {
      const result = spawnSync('/usr/bin/fallocate', ['-l', String(size), `${path}-${part}`]);
      if (result.status !== 0 && size <= 4_096) break;
      size = result.status === 0 ? statfsSync(dir).bavail * statfsSync(dir).bsize : Math.floor(size / 2);
    }
    return () => {
      for (let part = 0; part < 64; part += 1) rmSync(`${path}-${part}`, { force: true });
    };
  }

  it('refuses new operations by name, touches nothing, and works again when there is room', async () => {
    const dataDir = smallDisk();
    const made = await appliance({ dataDir });
    const start = machineState(made);
    const free = fill(dataDir);
    const refused = await made.rest<{ error: { code: string } }>('POST', '/pools', request(made));
    free();
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'database_unwritable' } } });
    expect(machineState(made)).toEqual(start);
    await made.rest('POST', '/pools', request(made));
    expect(await settled(made, operationId(made))).toMatchObject({ state: 'succeeded' });
  });

  it('in the middle of an operation ends in a verdict once there is room again', async () => {
    const dataDir = smallDisk();
    const made = await appliance({
      dataDir,
      env: { CAIRN_LEASE_MS: '500', CAIRN_SWEEP_CRON: '* * * * * *' },
    });
    const start = machineState(made);
    made.crashAt('done@pool.create/make-filesystem:wait-1200');
    await made.rest('POST', '/pools', request(made));
    const id = await stepDone(made, 'make-filesystem');
    const free = fill(dataDir);
    writeFileSync(made.crashFile, '');
    await sleep(2_500);
    free();
    const operation = await settled(made, id);
    expect(['failed', 'succeeded']).toContain(operation.state);
    if (operation.state === 'failed') expect(machineState(made)).toEqual(start);
  });
});
