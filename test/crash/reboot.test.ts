/**
 * A reboot in the middle of a change, as far as this machine can show one: Cairn is killed, its pools are unmounted, its
 * drives are gone from the kernel and come back under other names, and the journal was written in another boot.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Operation } from '$lib/shared/wire/operations';
import type { RestPool } from '$lib/server/pools/rest-shape';
import type { PoolChangeRequest } from '$lib/shared/wire/requests';
import { Appliance } from '../support/appliance';
import { loopsBelow, mountsBelow } from '../../src/cli/leftovers';
import { expectNoLeaks, traces } from '../support/leaks';
import { settled } from './matrix';
import { mustEnd, serials } from './scenarios';

const before = traces();
let made: Appliance | undefined;
afterEach(async () => {
  const used = made;
  made = undefined;
  await used?.remove();
  if (used) await expectNoLeaks(before, used.dataDir);
});

/** Another one for each case: the kernel knows a btrfs by its UUID. */
let cases = 0;
let GUID = '';
beforeEach(() => {
  cases += 1;
  GUID = `${process.pid.toString(16).padStart(8, '0')}-3c1d-4e8a-9f60-00000000eb0${cases}`;
});
type PoolThere = Extract<RestPool, { mountPath: string }>;
const HELD = ':wait-3600000';

function tool(program: string, ...argv: string[]): void {
  const { status, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')}: ${stderr}`);
}

/** What is left of a machine that was switched off and on. */
async function reboot(appliance: Appliance): Promise<void> {
  await appliance.kill('SIGKILL');
  for (const path of mountsBelow(appliance.dataDir).toReversed()) tool('/usr/bin/umount', '--', path);
  const loops = loopsBelow(appliance.dataDir);
  for (const { device } of loops) tool('/usr/sbin/losetup', '--detach', device);
  // What the kernel remembers of the drives by their names is wrong now.
  for (const [index] of loops.entries()) {
    const image = join(appliance.dataDir, `stranger-${index}.img`);
    writeFileSync(image, Buffer.alloc(1024 ** 2));
    tool('/usr/sbin/losetup', '--find', image);
  }
  const db = new Database(join(appliance.dataDir, 'cairn.db'));
  db.exec("UPDATE steps SET boot_id = 'an earlier one' WHERE boot_id IS NOT NULL");
  db.close();
  appliance.crashAt('');
  await appliance.start();
}

interface Started {
  appliance: Appliance;
  drives: string[];
  marker: { path: string; sum: string };
}
const sumOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A mirror of two of four drives, with a file in it. */
async function mirror(): Promise<Started> {
  made = new Appliance({ drives: 4 });
  const appliance = made;
  await appliance.start();
  await appliance.setUp();
  const drives = serials(appliance);
  const request = {
    ...{ poolGroupGuid: GUID, label: 'mirror', plugin: 'btrfs', layout: 'raid1' },
    drives: drives.slice(0, 2).map((serial) => ({ serial })),
  };
  await mustEnd(appliance, 'pool.create', await appliance.rest('POST', '/pools', request));
  const { mountPath } = (await appliance.rest<PoolThere>('GET', `/pools/${GUID}`)).body;
  const path = join(mountPath, 'marker');
  writeFileSync(path, randomBytes(4 * 1024 ** 2));
  tool('/usr/bin/sync', '--file-system', path);
  return { appliance, drives, marker: { path, sum: sumOf(path) } };
}

const stateOf = (appliance: Appliance, id: string, step: string): string | undefined =>
  appliance.query<{ state: string }>(
    'SELECT state FROM steps WHERE operation_id = ? AND name = ?',
    id,
    step,
  )[0]?.state;
async function untilState(appliance: Appliance, id: string, step: string, state: string): Promise<void> {
  for (let tries = 0; stateOf(appliance, id, step) !== state; tries += 1) {
    if (tries === 6_000) throw new Error(`step ${step} did not come to be ${state}`);
    await sleep(20);
  }
  // The point lies a moment behind the commit, and the program behind that.
  await sleep(2_000);
}

const said = ({ error, evidence }: Operation): string => `${error?.message ?? ''} ${evidence.join(' ')}`;

async function change(appliance: Appliance, request: PoolChangeRequest): Promise<string> {
  const { status, body } = await appliance.trpc<Operation>('pools.change', { request, confirmCode: null });
  if (status !== 200) throw new Error(`It was refused: ${JSON.stringify(body)}`);
  return body.id;
}

async function expectPool({ appliance, marker }: Started, ...members: string[]): Promise<void> {
  let pool: PoolThere | undefined;
  for (let tries = 0; tries < 600 && pool?.poolStatus !== 'active'; tries += 1) {
    await sleep(100);
    pool = (await appliance.rest<PoolThere>('GET', `/pools/${GUID}`)).body;
  }
  expect(pool).toMatchObject({ state: 'ready', poolStatus: 'active' });
  expect(mountsBelow(appliance.dataDir)).toEqual([pool?.mountPath]);
  expect(pool?.drives.map(({ serial }) => serial).toSorted()).toEqual(members.toSorted());
  expect(sumOf(marker.path)).toBe(marker.sum);
}

describe('a reboot in the middle of a change', () => {
  it('leaves an expansion that goes on in the pool, mounted again', async () => {
    const started = await mirror();
    const { appliance, drives } = started;
    const [a = '', b = '', c = ''] = drives;
    appliance.crashAt(`acting@pool.expand/add-drive-2${HELD}`);
    const id = await change(appliance, { verb: 'expand', poolGroupGuid: GUID, drives: [{ serial: c }] });
    await untilState(appliance, id, 'add-drive-2', 'acting');
    await reboot(appliance);
    const operation = await settled(appliance, id);
    expect(operation, said(operation)).toMatchObject({ state: 'succeeded', verdict: 'continued' });
    expect(operation.evidence.join(' ')).toMatch(
      /started anew: "After a reboot only: mount it at .* once more/,
    );
    await expectPool(started, a, b, c);
  });

  it('leaves a replacement that goes on, although the drive named first in its plan is no member any more', async () => {
    const started = await mirror();
    const { appliance, drives } = started;
    const [a = '', b = '', c = ''] = drives;
    appliance.crashAt(`begun@pool.replace-drive/erase-old-drive${HELD}`);
    const id = await change(appliance, {
      ...{ verb: 'replace', poolGroupGuid: GUID },
      ...{ member: { serial: a }, drive: { serial: c } },
    });
    await untilState(appliance, id, 'erase-old-drive', 'begun');
    await reboot(appliance);
    const operation = await settled(appliance, id);
    expect(operation, said(operation)).toMatchObject({ state: 'succeeded', verdict: 'continued' });
    await expectPool(started, b, c);
  });

  it('leaves a way back that finds the pool mounted again', async () => {
    const started = await mirror();
    const { appliance, drives } = started;
    const [a = '', b = '', c = ''] = drives;
    const step = 'pool.expand/add-drive-2';
    appliance.crashAt(`done@${step}${HELD},undoing@${step}${HELD}`);
    const id = await change(appliance, { verb: 'expand', poolGroupGuid: GUID, drives: [{ serial: c }] });
    await untilState(appliance, id, 'add-drive-2', 'done');
    await appliance.rest('POST', `/operations/${id}/cancel`);
    await untilState(appliance, id, 'add-drive-2', 'undoing');
    await reboot(appliance);
    const operation = await settled(appliance, id);
    expect(operation, said(operation)).toMatchObject({ state: 'cancelled', verdict: 'taken-back' });
    await expectPool(started, a, b);
  });
});
