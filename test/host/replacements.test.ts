/** A drive of a pool is replaced step by step, with drives that really come and go. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createReplacements } from '$lib/server/pools/replacements';
import { systemClock } from '$lib/server/clock';
import type { GuideStep, Replacement } from '$lib/shared/wire/replacements';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import type { LoopDrive } from '../support/loop-drives';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const MIB = 1024 ** 2;
let before: Traces;
let stack: StorageStack;
beforeEach(async () => {
  before = traces();
  stack = await createStorageStack({ drives: 4, driveBytes: 512 * MIB });
});
afterEach(async () => {
  await stack.close();
  await expectNoLeaks(before, stack.loops.directory);
});

const drive = (index: number): LoopDrive => stack.loops.drives[index] ?? expect.fail(`no drive ${index}`);
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
/** As pages see it, without asking. */
const shown = (guid: string): Replacement | undefined => stack.feed.get('replacements', guid);
const untilStep = (guid: string, step: GuideStep) =>
  expect.poll(() => shown(guid)?.step, { timeout: 10_000 }).toBe(step);
const wrong = (guid: string) => shown(guid)?.wrong.map(({ serial }) => serial);

/** A mirror of the first two drives with a file; the others are not plugged in, but for those that are asked for. */
async function mirror(extra: number) {
  for (const index of [2, 3].slice(extra)) stack.loops.detach(drive(index));
  await stack.drives.refresh();
  const { guid } = await stack.create({
    ...{ label: 'photos', plugin: 'btrfs', layout: 'raid1' },
    drives: [0, 1].map((index) => ({ serial: drive(index).serial })),
  });
  const { mountPath } = stack.pools.get(guid);
  const file = join(mountPath, 'family.bin');
  writeFileSync(file, randomBytes(16 * MIB));
  execFileSync('/usr/bin/sync', ['--file-system', file]);
  return { guid, file, sum: sha256(file) };
}
async function rebuild(guid: string) {
  const { confirmCode } = await stack.replacements.preview(guid);
  const { id } = await stack.replacements.rebuild(guid, { actor: TESTER, confirmCode });
  expect(shown(guid)?.step).toBe('rebuild');
  expect((await stack.operations.wait(id)).error).toBeNull();
}
/** The kernel does not let go of a loop drive that is mounted, as it would of a real one. */
const unmount = (guid: string) => stack.run('pool.unmount', { poolGroupGuid: guid });
const mount = (guid: string) => stack.run('pool.mount', { poolGroupGuid: guid });

describe('the old drive comes out first', () => {
  it('shouts when the wrong one is pulled, sees the right one go and the new one come, and sets the old one aside', async () => {
    const { guid, file, sum } = await mirror(0);
    stack.replacements.begin(guid, 1, TESTER);
    stack.replacements.choose(guid, { way: 'swap' });
    await untilStep(guid, 'pull');
    await unmount(guid);

    stack.loops.detach(drive(0));
    await expect.poll(() => wrong(guid), { timeout: 5_000 }).toEqual([drive(0).serial]);
    expect(shown(guid)).toMatchObject({
      step: 'pull',
      wrong: [{ severity: 'critical', text: expect.stringContaining('Put it back where it was') }],
    });
    stack.loops.attach(drive(0));
    await expect.poll(() => wrong(guid), { timeout: 5_000 }).toEqual([]);

    stack.loops.detach(drive(1));
    await untilStep(guid, 'insert');
    expect(shown(guid)?.pulledAt).not.toBeNull();
    await mount(guid);

    execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', '-L', 'holidays', drive(2).file]);
    stack.loops.attach(drive(2));
    await expect
      .poll(() => shown(guid)?.newcomers[0], { timeout: 10_000 })
      .toMatchObject({
        ...{ serial: drive(2).serial, isNew: true, why: null },
        findings: expect.arrayContaining([
          expect.objectContaining({ text: expect.stringContaining('Large enough') }),
          { tone: 'warn', text: 'Is erased: ext4 "holidays".' },
        ]),
      });
    stack.replacements.choose(guid, { freshId: drive(2).id });
    expect(shown(guid)?.step).toBe('plan');
    await rebuild(guid);
    await untilStep(guid, 'done');
    expect(stack.pools.get(guid)).toMatchObject({ poolStatus: 'active', health: 'healthy' });
    expect(sha256(file)).toBe(sum);

    stack.loops.attach(drive(1));
    await expect
      .poll(() => stack.drives.find(drive(1).serial)?.issues.map(({ code }) => code), { timeout: 10_000 })
      .toContain('drive_set_aside');
    const single = {
      ...{ label: 'other', plugin: 'single-drive', layout: 'single' },
      drives: [{ serial: drive(1).serial }],
    };
    await expect(stack.create(single)).rejects.toMatchObject({ code: 'drive_set_aside' });
    stack.drives.setAside(drive(1).id, null);
    expect((await stack.create(single)).operation.error).toBeNull();
  });
});

describe('the old drive stays in until the new one has everything', () => {
  it('asks for the old one afterwards, and shouts when the new one is pulled instead', async () => {
    const { guid, file, sum } = await mirror(1);
    stack.replacements.begin(guid, 0, TESTER);
    expect(shown(guid)).toMatchObject({ way: 'beside', step: 'insert', wrong: [] });
    expect(shown(guid)?.newcomers).toMatchObject([{ serial: drive(2).serial, isNew: false, why: null }]);
    stack.replacements.choose(guid, { freshId: drive(2).id });
    await rebuild(guid);
    await untilStep(guid, 'take-out');
    expect(sha256(file)).toBe(sum);
    expect(stack.drives.find(drive(0).serial)).toMatchObject({
      pool: null,
      setAside: { at: expect.any(Number) },
    });

    await unmount(guid);
    stack.loops.detach(drive(2));
    await expect.poll(() => wrong(guid), { timeout: 5_000 }).toEqual([drive(2).serial]);
    stack.loops.attach(drive(2));
    stack.loops.detach(drive(0));
    await untilStep(guid, 'done');
    stack.replacements.end(guid);
    expect(shown(guid)).toBeUndefined();
  });

  it('goes on where it was after a restart, in whatever was pulled meanwhile', async () => {
    const { guid } = await mirror(1);
    stack.replacements.begin(guid, 0, TESTER);
    stack.replacements.choose(guid, { way: 'swap' });
    await unmount(guid);
    stack.replacements.stop();
    stack.loops.detach(drive(1));
    await expect.poll(() => stack.drives.find(drive(1).serial)?.present, { timeout: 5_000 }).toBe(false);
    const again = createReplacements({ ...stack, clock: systemClock });
    again.start();
    expect(shown(guid)).toMatchObject({ step: 'pull', wrong: [{ serial: drive(1).serial }] });
    again.stop();
  });
});

describe('a rebuild that was begun elsewhere', () => {
  it('is followed as one that was begun here', async () => {
    const { guid } = await mirror(1);
    stack.replacements.begin(guid, 0, TESTER);
    stack.replacements.choose(guid, { freshId: drive(2).id });
    const { confirmCode } = await stack.replacements.preview(guid);
    const { id } = await stack.operations.start({
      ...{ kind: 'pool.replace-drive', actor: TESTER, confirmCode },
      request: {
        ...{ verb: 'replace', poolGroupGuid: guid, setAside: true },
        ...{ member: { id: drive(0).id }, drive: { id: drive(2).id } },
      },
    });
    expect(stack.replacements.get(guid)).toMatchObject({ step: 'rebuild', operationId: id });
    expect(() => stack.replacements.end(guid)).toThrow(/at work/);
    expect((await stack.operations.wait(id)).error).toBeNull();
    await untilStep(guid, 'take-out');
  });
});

describe('what would cost data is refused', () => {
  it('does not let the last copy be pulled, nor a drive that is too small take its place', async () => {
    const { guid } = await mirror(1);
    await unmount(guid);
    stack.loops.detach(drive(1));
    await stack.drives.refresh();
    await mount(guid);
    stack.replacements.begin(guid, 0, TESTER);
    expect(shown(guid)?.whyNotSwap).toContain('could not work');
    expect(() => stack.replacements.choose(guid, { way: 'swap' })).toThrow(/has to stay in/);

    execFileSync('/usr/bin/truncate', ['--size', '256M', drive(3).file]);
    stack.loops.attach(drive(3));
    await expect
      .poll(() => shown(guid)?.newcomers.find(({ serial }) => serial === drive(3).serial)?.why, {
        timeout: 10_000,
      })
      .toContain('Too small');
    expect(() => stack.replacements.choose(guid, { freshId: drive(3).id })).toThrow(/Too small/);
  });
});
