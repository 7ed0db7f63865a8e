/** The REST interface from an empty appliance to a pool and back, on real sandbox drives. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestPool } from '$lib/server/pools/rest-shape';
import type { Replacement } from '$lib/shared/wire/replacements';
import { Appliance } from '../support/appliance';
import { expectNoLeaks, traces } from '../support/leaks';

const before = traces();
/** The third is for the replacement. */
const made = new Appliance({ drives: 3 });
beforeAll(async () => {
  await made.start();
  await made.setUp();
});
afterAll(async () => {
  await made.remove();
  await expectNoLeaks(before, made.dataDir);
});

const GUID = '0f6c1de2-95ce-4d9a-8c39-2f1f6b9d7a11';
let serials: string[] = [];
let spare = { id: '', serial: '' };
const request = () => ({
  poolGroupGuid: GUID,
  label: 'tank',
  plugin: 'btrfs',
  layout: 'raid1',
  drives: serials.map((serial, index) => ({ serial, label: `bay ${index + 1}` })),
});
const pool = async (): Promise<RestPool> => (await made.rest<RestPool>('GET', `/pools/${GUID}`)).body;
async function until(state: string): Promise<RestPool> {
  for (let tries = 0; tries < 400; tries += 1) {
    const now = await pool();
    if (now.state === state) return now;
    await sleep(25);
  }
  throw new Error(`the pool did not become ${state}: ${JSON.stringify(await pool())}`);
}

describe('a pool over REST', () => {
  it('begins with drives that are listed with their serials', async () => {
    const { body } = await made.rest<{
      drives: { id: string; serial: string; sandbox: boolean; issues: unknown[] }[];
    }>('GET', '/drives');
    const drives = body.drives.filter((drive) => drive.sandbox);
    expect(drives.flatMap((drive) => drive.issues)).toEqual([]);
    spare = drives[2] ?? expect.fail('there are not three drives');
    serials = drives.slice(0, 2).map((drive) => drive.serial);
  });

  it('is previewed as commands, without anything being made', async () => {
    const { status, body } = await made.rest<{ steps: { command: string }[] }>(
      'POST',
      '/pools/preview',
      request(),
    );
    expect(status).toBe(200);
    expect(body.steps.map(({ command }) => command).join('\n')).toMatch(/mkfs\.btrfs .*raid1/);
    expect((await made.rest('GET', `/pools/${GUID}`)).status).toBe(404);
  });

  it('is answered at once, and the same when it is asked for twice', async () => {
    const [first, second] = await Promise.all([
      made.rest('POST', '/pools', request()),
      made.rest('POST', '/pools', request()),
    ]);
    expect(first).toEqual(second);
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({ success: true, poolGroupGuid: GUID, state: 'creating' });
    expect(await pool()).toEqual({ state: 'creating', poolStatus: null, drives: [] });
  });

  it('becomes ready with sizes in bytes and each drive by serial, label and status', async () => {
    const ready = await until('ready');
    if (!('mountPath' in ready)) throw new Error('not ready');
    expect(ready).toEqual({
      state: 'ready',
      poolStatus: 'active',
      size: expect.any(Number) as unknown,
      used: expect.any(Number) as unknown,
      available: expect.any(Number) as unknown,
      usePercent: expect.stringMatching(/^\d+%$/) as unknown,
      mountPath: expect.stringMatching(/\/tank/) as unknown,
      drives: serials.map((serial, index) => ({ serial, label: `bay ${index + 1}`, status: 'active' })),
    });
    expect(statfsSync(ready.mountPath).type).toBe(0x9123683e);
    writeFileSync(join(ready.mountPath, 'file'), 'content');
  });

  it('keeps the commands that made it with what they printed', async () => {
    const { body } = await made.rest<{
      commands: { command: string[]; exitCode: number; output: unknown[] }[];
    }>('GET', `/pools/${GUID}/outputs`);
    const mkfs = body.commands.find(({ command }) => command[0]?.endsWith('mkfs.btrfs'));
    expect(mkfs?.exitCode).toBe(0);
    expect(mkfs?.output.length).toBeGreaterThan(3);
  });

  it('refuses a second pool of its label and drives, with every reason', async () => {
    const { status, body } = await made.rest<{ error: { details: { issues: { code: string }[] } } }>(
      'POST',
      '/pools',
      {
        ...request(),
        poolGroupGuid: undefined,
      },
    );
    expect(status).toBeGreaterThanOrEqual(400);
    const codes = new Set(body.error.details.issues.map(({ code }) => code));
    expect(codes).toEqual(new Set(['label_duplicate', 'drive_in_pool', 'mount_path_in_use']));
  });

  it('is unmounted, mounted and renamed', async () => {
    expect((await made.rest('POST', `/pools/${GUID}/unmount`)).status).toBe(202);
    await until('unmounted');
    expect((await made.rest('POST', `/pools/${GUID}/mount`)).status).toBe(202);
    await until('ready');
    const renamed = await made.rest<{ operationId: string }>('POST', `/pools/${GUID}/rename`, {
      label: 'barn',
    });
    expect(renamed.status).toBe(202);
    await expect
      .poll(
        async () =>
          (await made.rest<{ state: string }>('GET', `/operations/${renamed.body.operationId}`)).body.state,
        { timeout: 20_000 },
      )
      .toBe('succeeded');
    const { body } = await made.rest<{ pools: { label: string }[] }>('GET', '/pools');
    expect(body.pools.map(({ label }) => label)).toEqual(['barn']);
  });

  it('lists the programs that use it, and ends those that are named', async () => {
    const ready = await until('ready');
    if (!('mountPath' in ready)) throw new Error('not ready');
    const holder = spawn('/usr/bin/setsid', ['--fork', '/bin/sh', '-c', 'echo $$; exec sleep 300'], {
      ...{ cwd: ready.mountPath, stdio: ['ignore', 'pipe', 'ignore'] },
    });
    const pid = await new Promise<number>((resolve) =>
      holder.stdout?.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))),
    );
    try {
      const pids = async (): Promise<number[]> =>
        (
          await made.rest<{ processes: { pid: number }[] }>('GET', `/pools/${GUID}/processes`)
        ).body.processes.map((one) => one.pid);
      expect(await pids()).toContain(pid);
      const end = (chosen: number) =>
        made.rest<{ operationId: string; error?: { details: { issues: { code: string }[] } } }>(
          'POST',
          `/pools/${GUID}/end-processes`,
          { pids: [chosen] },
        );
      expect((await end(process.pid)).body.error?.details.issues).toMatchObject([
        { code: 'process_not_using' },
      ]);
      expect((await end(pid)).status).toBe(202);
      await expect.poll(pids, { timeout: 20_000 }).not.toContain(pid);
    } finally {
      if (existsSync(`/proc/${pid}/cwd`)) process.kill(pid, 'SIGKILL');
    }
  });

  it('raises an alert when it is unmounted from outside, which can be acknowledged', async () => {
    const ready = await until('ready');
    if (!('mountPath' in ready)) throw new Error('not ready');
    execFileSync('/usr/bin/umount', ['--', ready.mountPath]);
    const open = async () =>
      (
        await made.rest<{ open: { id: string; acknowledgedAt: number | null }[] }>('GET', '/alerts')
      ).body.open.find(({ id }) => id === `pool:${GUID}:not-mounted`);
    await expect.poll(open, { timeout: 20_000 }).toMatchObject({ acknowledgedAt: null });
    const id = encodeURIComponent(`pool:${GUID}:not-mounted`);
    const seen = await made.rest('POST', `/alerts/${id}/acknowledge`);
    expect([seen.status, seen.body]).toEqual([
      200,
      expect.objectContaining({ acknowledgedBy: expect.stringContaining('tests') as unknown }),
    ]);
    expect((await open())?.acknowledgedAt).toBeGreaterThan(0);
    expect((await made.rest('POST', '/alerts/none/acknowledge')).status).toBe(404);
    expect((await made.rest('POST', `/pools/${GUID}/mount`)).status).toBe(202);
    await expect.poll(open, { timeout: 20_000 }).toBeUndefined();
  });

  it('has snapshots that are taken, looked into, protected, gone back to and made by the clock', async () => {
    const at = `/pools/${GUID}/snapshots`;
    const done = async ({ status, body }: { status: number; body: { operationId: string } }) => {
      expect(status).toBe(202);
      const state = async () =>
        (await made.rest<{ state: string }>('GET', `/operations/${body.operationId}`)).body.state;
      await expect.poll(state, { timeout: 20_000 }).toBe('succeeded');
    };
    const list = async () =>
      (await made.rest<{ snapshots: { name: string; protected: boolean }[] }>('GET', at)).body.snapshots;
    await done(await made.rest('POST', at, { name: 'before' }));
    expect(await made.rest('POST', at, { name: 'auto-daily-20261121-030000' })).toMatchObject({
      status: 400,
    });
    const { body } = await made.rest<{ entries: { name: string }[] }>('GET', `${at}/before/files`);
    expect(body.entries.map(({ name }) => name)).toContain('file');
    expect((await made.rest('GET', `${at}/before/files?path=..%2F..`)).status).toBe(409);

    expect((await made.rest('PUT', `${at}/before/protection`)).status).toBe(200);
    expect(await list()).toMatchObject([{ name: 'before', protected: true }]);
    expect(await made.rest('DELETE', `${at}/before`)).toMatchObject({
      ...{ status: 409, body: { error: { code: 'snapshot_protected' } } },
    });
    expect((await made.rest('DELETE', `${at}/before/protection`)).status).toBe(200);

    const plan = await made.rest<{ steps: { command: string }[] }>('POST', `${at}/preview`, {
      ...{ verb: 'roll-back', name: 'before' },
    });
    expect(plan.body.steps.map(({ command }) => command).join('\n')).toContain('subvolume set-default');
    await done(await made.rest('POST', `${at}/before/roll-back`));
    const kept = (await list()).find(({ name }) => name !== 'before')?.name ?? '';
    expect(kept).toMatch(/^before-roll-back-\d{8}-\d{6}$/);
    for (const name of [kept, 'before']) await done(await made.rest('DELETE', `${at}/${name}`));
    expect(await list()).toEqual([]);
    expect((await made.rest('DELETE', `${at}/before`)).status).toBe(404);

    const daily = `/pools/${GUID}/snapshot-schedules/daily`;
    const timing = { minute: 30, hour: 4 };
    expect((await made.rest('PUT', daily, { timing, keep: 0 })).status).toBe(400);
    expect(await made.rest('PUT', daily, { timing, keep: 7 })).toMatchObject({
      ...{ status: 200, body: { schedules: [{ tier: 'daily', keep: 7, text: 'Every day at 04:30' }] } },
    });
    expect((await made.rest('DELETE', daily)).body).toEqual({ schedules: [] });
  });

  it('has a drive replaced step by step, by what the machine shows', async () => {
    const path = `/pools/${GUID}/replacement`;
    const now = async () => (await made.rest<Replacement>('GET', path)).body;
    const begun = await made.rest<Replacement>('POST', path, { slot: 1 });
    expect(begun).toMatchObject({ status: 201, body: { step: 'insert', way: 'beside', serial: serials[1] } });
    const refused = await made.rest('PATCH', path, { freshId: 'no-such-drive' });
    expect(refused).toMatchObject({ status: 404, body: { error: { code: 'drive_not_found' } } });
    const chosen = await made.rest<Replacement>('PATCH', path, { freshId: spare.id });
    expect(chosen.body).toMatchObject({ step: 'plan', freshId: spare.id });
    const { body: plan } = await made.rest<{ confirmCode: string | null; steps: { command: string }[] }>(
      'POST',
      `${path}/preview`,
    );
    expect(plan.steps.map(({ command }) => command).join('\n')).toContain('btrfs replace start');
    const rebuilt = await made.rest('POST', `${path}/rebuild`, { confirmCode: plan.confirmCode });
    expect(rebuilt.status).toBe(202);
    await expect.poll(async () => (await now()).step).toBe('take-out');
    const after = await pool();
    if (!('mountPath' in after)) throw new Error('not ready');
    expect(after.drives.map(({ serial }) => serial)).toEqual([serials[0], spare.serial]);
    expect(readFileSync(join(after.mountPath, 'file'), 'utf8')).toBe('content');
    expect((await made.rest('DELETE', path)).status).toBe(200);
    expect(await made.rest('GET', path)).toMatchObject({
      ...{ status: 404, body: { error: { code: 'guide_not_found' } } },
    });
  });

  it('that holds data is removed only with the code of the plan that says so', async () => {
    const refused = await made.rest<{ error: { code: string } }>('DELETE', `/pools/${GUID}`);
    expect([refused.status, refused.body.error.code]).toEqual([409, 'confirm_required']);
    const plan = await made.rest<{ confirmCode: string }>('GET', `/pools/${GUID}/removal`);
    const wrong = await made.rest<{ error: { code: string } }>('DELETE', `/pools/${GUID}`, {
      confirmCode: 'x',
    });
    expect([wrong.status, wrong.body.error.code]).toEqual([409, 'confirm_stale']);
    const removed = await made.rest('DELETE', `/pools/${GUID}`, { confirmCode: plan.body.confirmCode });
    expect(removed.status).toBe(202);
    await until('deleted');
    expect((await made.rest<{ pools: unknown[] }>('GET', '/pools')).body.pools).toEqual([]);
  });

  it('leaves its commands readable after it is gone', async () => {
    const { body } = await made.rest<{ commands: { kind: string }[] }>('GET', `/pools/${GUID}/outputs`);
    expect(new Set(body.commands.map(({ kind }) => kind))).toContain('pool.create');
    expect(new Set(body.commands.map(({ kind }) => kind))).toContain('pool.remove');
  });
});

describe('a drive over REST', () => {
  it('blinks for as many seconds as are asked for', async () => {
    const { body } = await made.rest<{ drives: { id: string; sandbox: boolean }[] }>('GET', '/drives');
    const { id = '' } = body.drives.find((drive) => drive.sandbox) ?? {};
    const path = `/drives/${id}/identify`;
    expect((await made.rest('POST', path, { seconds: 0 })).status).toBe(400);
    const asked = await made.rest<{ operationId: string }>('POST', path, { seconds: 1 });
    expect(asked.status).toBe(202);
    const state = async () =>
      (await made.rest<{ state: string }>('GET', `/operations/${asked.body.operationId}`)).body.state;
    await expect.poll(state, { timeout: 20_000 }).toBe('succeeded');
  });
});
