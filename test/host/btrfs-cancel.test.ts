/** Long work of the kernel on a btrfs pool that is cancelled: the end that the user is told is the one that the drives have. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Operation } from '$lib/shared/wire/operations';
import { makeFaultDrive, type FaultDrive } from '../support/fault-drives';
import { unmountFrom } from '../support/loop-drives';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const MIB = 1024 ** 2;
const BTRFS = '/usr/bin/btrfs';
const tool = (program: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8' });
const signaturesOn = (path: string): string => tool('/usr/sbin/wipefs', '--no-act', '--', path).trim();
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

let stack: StorageStack;
let slow: FaultDrive | null = null;
beforeEach(async () => {
  stack = await createStorageStack({ drives: 3, driveBytes: 320 * MIB });
});
afterEach(async () => {
  await slow?.setSpeed(null);
  // It goes when nothing is mounted from it any more, and before the folder in which it lies.
  unmountFrom(stack.loops.drives.map(({ file }) => file));
  await slow?.cleanUp();
  slow = null;
  await stack.close();
});

const serial = (index: number) => ({ serial: stack.loops.drives[index]?.serial ?? '' });

async function poolOn(layout: string, drives: { serial: string }[]) {
  const { guid, operation } = await stack.create({ label: 'tank', plugin: 'btrfs', layout, drives });
  expect(operation.error).toBeNull();
  const { mountPath } = stack.pools.get(guid);
  const file = join(mountPath, 'photos.bin');
  writeFileSync(file, randomBytes(48 * MIB));
  tool('/usr/bin/sync', '--file-system', file);
  const sum = sha256(file);
  /** What is told of the pool is what its drives have: same members, healthy, the file whole by its checksums. */
  async function expectWell(members: { serial: string }[]): Promise<void> {
    await stack.pools.refresh();
    expect(stack.pools.get(guid)).toMatchObject({ health: 'healthy', operationId: null });
    expect(stack.pools.get(guid).members.map((member) => ({ serial: member.serial }))).toEqual(members);
    expect(sha256(file)).toBe(sum);
    expect(tool(BTRFS, 'scrub', 'start', '-B', mountPath)).toContain('no errors found');
  }
  return { guid, mountPath, expectWell };
}
/** Scrubs and replacements read half a mebibyte a second from each device (scrub_speed_max), or as fast as they can. */
function limitSpeed(guid: string, bytesPerSecond: number): void {
  const devices = `/sys/fs/btrfs/${guid}/devinfo`;
  for (const number of readdirSync(devices))
    writeFileSync(join(devices, number, 'scrub_speed_max'), String(bytesPerSecond));
}
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 40_000; !(await isSo()); await sleep(20))
    if (Date.now() > end) throw new Error('did not happen within 40 s');
}
async function cancelled(id: string): Promise<Operation> {
  stack.operations.cancel(id, TESTER);
  return stack.operations.wait(id);
}

describe('a replacement that is cancelled', () => {
  it('while the new drive is filled leaves the pool as it was and the new drive blank', async () => {
    const pool = await poolOn('raid1', [serial(0), serial(1)]);
    limitSpeed(pool.guid, MIB / 2);
    const { id } = await stack.begin({
      ...{ verb: 'replace', poolGroupGuid: pool.guid, member: { slot: 1 } },
      drive: serial(2),
    });
    await until(() => stack.operations.get(id).progress?.text.startsWith('The new drive is filled') === true);
    const operation = await cancelled(id);
    expect(operation).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    limitSpeed(pool.guid, 0);
    await pool.expectWell([serial(0), serial(1)]);
    expect(signaturesOn(stack.loops.drives[2]?.path ?? '')).toBe('');
  });

  it('in the moment in which the kernel has finished says that it was too late, and goes on', async () => {
    const pool = await poolOn('raid1', [serial(0), serial(1)]);
    let id = '';
    stack.bus.on('operation.changed', (changed) => {
      const operation = stack.operations.get(changed.id);
      const begun = operation.steps.some(
        ({ name, state }) => name === 'start-replacement' && state === 'done',
      );
      if (id !== '' || operation.kind !== 'pool.replace-drive' || !begun) return;
      id = operation.id;
      // Returns when the kernel has finished: so the cancellation comes after that, before anybody has looked.
      tool(BTRFS, 'replace', 'status', pool.mountPath);
      stack.operations.cancel(id, TESTER);
    });
    const operation = await stack.change({
      ...{ verb: 'replace', poolGroupGuid: pool.guid, member: { slot: 1 } },
      drive: serial(2),
    });
    expect(operation).toMatchObject({ state: 'succeeded', error: null });
    expect(operation.evidence.join(' ')).toContain('cancelled too late');
    await pool.expectWell([serial(0), serial(2)]);
    expect(signaturesOn(stack.loops.drives[1]?.path ?? '')).toBe('');
  });
});

describe('with a slow drive', () => {
  async function slowDrive(): Promise<{ serial: string }> {
    slow = await makeFaultDrive(stack.loops.directory, 'SBX-TEST-SLOW', 320 * MIB);
    await stack.drives.refresh();
    return { serial: slow.serial };
  }

  it('a drive that is told to stay while its content is moved is a member as before', async () => {
    const last = await slowDrive();
    const pool = await poolOn('single', [serial(0), serial(1), last]);
    await slow?.setSpeed(2 * MIB);
    const { id } = await stack.begin({
      ...{ verb: 'remove-drive', poolGroupGuid: pool.guid, member: { slot: 0 } },
    });
    await until(() => stack.operations.get(id).progress?.text.includes('still on the drive') === true);
    expect(stack.operations.get(id).canCancel).toBe(true);
    const ended = cancelled(id);
    await slow?.setSpeed(null);
    expect(await ended).toMatchObject({ state: 'cancelled' });
    await pool.expectWell([serial(0), serial(1), last]);
  });

  it('a balance that is stopped has ended, and nothing is lost', async () => {
    const last = await slowDrive();
    const pool = await poolOn('raid1', [serial(0), last]);
    await slow?.setSpeed(2 * MIB);
    const started = await stack.change({ verb: 'start-balance', poolGroupGuid: pool.guid });
    expect(started.error).toBeNull();
    expect(stack.pools.get(pool.guid).work).toMatchObject([{ kind: 'balance' }]);
    const { id } = await stack.begin({ verb: 'stop-balance', poolGroupGuid: pool.guid });
    await slow?.setSpeed(null);
    expect(await stack.operations.wait(id)).toMatchObject({ state: 'succeeded', error: null });
    await stack.pools.refresh();
    expect(stack.pools.get(pool.guid).work).toEqual([]);
    expect(tool(BTRFS, 'balance', 'status', pool.mountPath)).toContain('No balance found');
    await pool.expectWell([serial(0), last]);
  });
});

describe('a scrub that is stopped', () => {
  it('has ended, and is told as cancelled', async () => {
    const pool = await poolOn('raid1', [serial(0), serial(1)]);
    limitSpeed(pool.guid, MIB / 2);
    expect((await stack.change({ verb: 'start-scrub', poolGroupGuid: pool.guid })).error).toBeNull();
    expect(stack.pools.get(pool.guid).work).toMatchObject([{ kind: 'scrub' }]);
    expect((await stack.change({ verb: 'stop-scrub', poolGroupGuid: pool.guid })).error).toBeNull();
    expect(stack.pools.get(pool.guid)).toMatchObject({ work: [], lastScrub: { state: 'cancelled' } });
    limitSpeed(pool.guid, 0);
    await pool.expectWell([serial(0), serial(1)]);
  });
});
