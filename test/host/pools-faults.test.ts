/** Pools on drives that are slow, fail, die or run out of room, for real: the kernel gets the errors, not a fake. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPool } from '$lib/server/pools/create';
import { restPool } from '$lib/server/pools/rest-shape';
import type { StepState } from '$lib/shared/states';
import type { Operation } from '$lib/shared/wire/operations';
import {
  groupsAt,
  livingIn,
  makeCrampedDrive,
  makeFaultDrive,
  type FaultDrive,
} from '../support/fault-drives';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const MIB = 1024 ** 2;
const signaturesOn = (path: string): string =>
  execFileSync('/usr/sbin/wipefs', ['--no-act', '--', path], { encoding: 'utf8' }).trim();

let before: Traces;
let stack: StorageStack;
const cleanUps: (() => Promise<void> | void)[] = [];
beforeEach(async () => {
  before = traces();
  stack = await createStorageStack({ drives: 1 });
});
afterEach(async () => {
  try {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  } finally {
    await stack.close();
  }
  await expectNoLeaks(before, stack.loops.directory);
});

async function faultDrive(serial: string, sizeBytes = 512 * MIB): Promise<FaultDrive> {
  const drive = await makeFaultDrive(stack.loops.directory, serial, sizeBytes);
  cleanUps.push(drive.cleanUp);
  await stack.drives.refresh();
  expect(stack.drives.find(serial)).toMatchObject({ id: drive.id, sandbox: true, group: 'free', issues: [] });
  return drive;
}

/** Resolves in the turn in which a step is committed in a state. */
const stepIn = (name: string, state: StepState): Promise<Operation> =>
  new Promise((resolve) => {
    const end = stack.bus.on('operation.changed', ({ id }) => {
      const operation = stack.operations.get(id);
      if (!operation.steps.some((step) => step.name === name && step.state === state)) return;
      end();
      resolve(operation);
    });
  });

/** The process group of the mkfs that writes to the drive, once there is one. */
async function mkfsGroup(drive: FaultDrive): Promise<string> {
  for (const until = Date.now() + 10_000; Date.now() < until; await sleep(5)) {
    const [group] = groupsAt(drive.path, 'mkfs.ext4');
    if (group) return group;
  }
  throw new Error('no mkfs was seen at work on the drive');
}

const single = (serial: string, options: Record<string, string | boolean> = { partition: false }) => ({
  label: 'tank',
  plugin: 'single-drive',
  layout: 'single',
  drives: [{ serial }],
  options,
});

async function expectNothingLeft(drive: { path: string; serial: string }): Promise<void> {
  expect(stack.pools.list()).toEqual([]);
  expect(existsSync(join(stack.config.mountRoot, 'tank'))).toBe(false);
  expect(signaturesOn(drive.path)).toBe('');
  await stack.drives.refresh();
  expect(stack.drives.find(drive.serial)).toMatchObject({ group: 'free', issues: [], partitions: [] });
}

const mkfsOf = (operation: Operation) =>
  stack.operations.commands(operation.id).find((command) => command.step === 'make-filesystem');

describe('a drive whose writes fail', () => {
  it('ends the creation as failed, keeps what mkfs said, and leaves nothing', async () => {
    const drive = await faultDrive('SBX-FAIL-01');
    await drive.fail(['write']);
    const healed = stepIn('make-filesystem', 'failed').then(() => drive.fail([]));
    const { guid, operation } = await stack.create(single(drive.serial));
    await healed;
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'command_failed' } });
    expect(mkfsOf(operation)).toMatchObject({ exitCode: 1 });
    expect(
      mkfsOf(operation)
        ?.lines.map((line) => line.text)
        .join('\n'),
    ).toContain('Input/output error');
    expect(restPool(stack.pools.getOrLast(guid))).toEqual({
      state: 'failed',
      errorMessage: operation.error?.message,
    });
    await expectNothingLeft(drive);
  });

  it('asks the user when not even the way back can be written, and goes back once the drive is well', async () => {
    const drive = await faultDrive('SBX-FAIL-02');
    const broken = stepIn('make-filesystem', 'done').then(() => drive.fail(['write']));
    const { operation } = await stack.create(single(drive.serial));
    await broken;
    expect(operation.state).toBe('needs-attention');
    expect(stack.pools.list()).toMatchObject([{ state: 'error' }]);
    await drive.fail([]);
    await stack.operations.resolve(operation.id, 'try-again', TESTER);
    const ended = await stack.operations.wait(operation.id);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'command_failed' } });
    await expectNothingLeft(drive);
  });
});

describe('a slow drive', () => {
  it('is cancelled in the middle of mkfs: every process of it is gone, and nothing is left', async () => {
    const drive = await faultDrive('SBX-SLOW-01');
    await drive.setSpeed(MIB);
    const { operation } = await createPool(stack, single(drive.serial), { actor: TESTER });
    const group = await mkfsGroup(drive);
    expect(stack.operations.get(operation.id).state).toBe('running');
    // The rest of the machine is not kept waiting by one slow drive.
    await stack.drives.refresh();
    expect(stack.drives.find(stack.loops.drives[0]?.serial ?? '')).toMatchObject({ issues: [] });

    stack.operations.cancel(operation.id, TESTER);
    const ended = await stack.operations.wait(operation.id);
    expect(ended).toMatchObject({ state: 'cancelled', cancelRequested: true });
    expect(mkfsOf(ended)).toMatchObject({ exitCode: null, signal: expect.any(String) as string });
    expect(livingIn(group)).toEqual([]);
    expect(groupsAt(drive.path, 'mkfs.ext4')).toEqual([]);
    await drive.setSpeed(null);
    await expectNothingLeft(drive);
  });

  it('takes longer, and gets its pool', async () => {
    const drive = await faultDrive('SBX-SLOW-02');
    await drive.setSpeed(20 * MIB);
    const { guid, operation } = await stack.create(single(drive.serial));
    expect(operation.error).toBeNull();
    await drive.setSpeed(null);
    expect(stack.pools.get(guid)).toMatchObject({ state: 'ready', health: 'healthy' });
    expect((await stack.remove(guid)).state).toBe('succeeded');
    await expectNothingLeft(drive);
  });
});

describe('a drive that dies in the middle of mkfs', () => {
  it('is not taken for an empty one: the user is asked, and may leave things as they are', async () => {
    const drive = await faultDrive('SBX-DEAD-01');
    await drive.setSpeed(MIB);
    const asked = await createPool(stack, single(drive.serial), { actor: TESTER });
    await mkfsGroup(drive);
    drive.die();
    const { id } = asked.operation;
    expect(await stack.operations.wait(id)).toMatchObject({
      state: 'needs-attention',
      verdict: 'needs-you',
      error: { code: 'command_failed' },
      evidence: [expect.stringContaining('cannot be read')],
    });
    expect(mkfsOf(stack.operations.get(id))).toMatchObject({ step: 'make-filesystem' });
    expect(stack.pools.list()).toMatchObject([{ state: 'error', operationId: id }]);
    expect(stack.drives.get(drive.id)).toMatchObject({ operationId: id });

    await stack.operations.resolve(id, 'leave-as-is', TESTER);
    expect(await stack.operations.wait(id)).toMatchObject({ state: 'failed' });
    await stack.drives.refresh();
    const shown = stack.drives.get(drive.id);
    expect(shown.operationId).toBeNull();
    expect(shown.issues.map((one) => one.code)).toContain('drive_unreadable');
    // The other drive of the machine is as usable as before.
    const other = stack.loops.drives[0]?.serial ?? '';
    const { operation, guid } = await stack.create({ ...single(other), label: 'other' });
    expect(operation.error).toBeNull();
    expect((await stack.remove(guid)).state).toBe('succeeded');
  });
});

describe('a mirror with a failing member', () => {
  it('goes on, and says which drive reports errors', async () => {
    const drive = await faultDrive('SBX-BAD-02');
    const good = stack.loops.drives[0];
    if (!good) throw new Error('no drive');
    const { guid, operation } = await stack.create({
      label: 'tank',
      plugin: 'btrfs',
      layout: 'raid1',
      drives: [{ serial: good.serial }, { serial: drive.serial }],
    });
    expect(operation.error).toBeNull();
    const { mountPath } = stack.pools.get(guid);
    await drive.fail(['write']);
    writeFileSync(join(mountPath, 'file'), 'x'.repeat(1_000_000));
    spawnSync('/usr/bin/sync', ['--file-system', mountPath]);
    await stack.pools.refresh();
    expect(stack.pools.get(guid)).toMatchObject({
      state: 'ready',
      mounted: true,
      health: 'warning',
      healthText: expect.stringContaining(drive.serial),
      members: [
        { serial: good.serial, status: 'active' },
        { serial: drive.serial, status: 'faulty', detail: expect.stringContaining('write') },
      ],
    });
    await drive.fail([]);
    expect((await stack.remove(guid)).state).toBe('succeeded');
  });
});

describe('a drive whose file has no room', () => {
  it('fails clearly and is taken back', async () => {
    const drive = makeCrampedDrive(stack.loops.directory, 'SBX-FULL-01', 512 * MIB, 256 * 1024);
    cleanUps.push(drive.cleanUp);
    await stack.drives.refresh();
    const { operation } = await stack.create(single(drive.serial));
    expect(operation).toMatchObject({
      state: 'failed',
      error: { code: 'command_failed', message: expect.stringContaining('Input/output error') },
    });
    expect(mkfsOf(operation)).toMatchObject({ exitCode: 1 });
    await expectNothingLeft(drive);
  });
});
