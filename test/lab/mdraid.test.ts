/** Pools of the md plugin on a real kernel, through Cairn: every layout, and the life of one pool. */
import { expect, it } from 'vitest';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import { refusal } from './cairn-client.ts';
import type { Cairn } from './cairn.ts';
import { MiB } from './drives.ts';
import type { Machine } from './machine.ts';
import * as pools from './mdraid-case.ts';
import { useLab } from './use-lab.ts';

const { LONG, begin, change, drivesOf, fill, leftOn, members, sum, untilPool, watch } = pools;
const lab = useLab({ cairn: true });
const CASE_MS = 600_000;
const GUEST = { wallLimitMs: CASE_MS };

const make = (cairn: Cairn, layout: string, serials: string[], options: Pool['options'] = {}) =>
  pools.make(cairn, { label: `Pool ${layout}`, plugin: 'mdraid', layout, serials, options });
const untilIdle = (machine: Machine): Promise<string> =>
  machine.until('! grep -q "resync\\|recovery\\|reshape\\|check" /proc/mdstat', LONG);

it(
  'a pool takes a drive back, gives one away, grows, has a spare that steps in, is renamed, let go of and adopted again, its content unchanged',
  { timeout: CASE_MS },
  async () => {
    const cairn = await lab.cairn({
      drives: [...drivesOf('A', 'B', 'C', 'D', 'E'), { serial: 'small', sizeBytes: 330 * MiB }],
      ...GUEST,
    });
    const { machine } = cairn;
    const pool = await make(cairn, 'raid5', ['A', 'B', 'C']);
    const { guid: poolGroupGuid } = pool;
    const until = (fits: (now: Pool) => boolean): Promise<Pool> => untilPool(cairn, poolGroupGuid, fits);
    const before = await fill(machine, pool);
    await untilIdle(machine);

    // Another port, another name: the same drive. Only what it has missed is copied.
    await machine.pullDrive('B');
    await until(({ poolStatus }) => poolStatus === 'degraded');
    const missed = await fill(machine, pool, 'missed');
    await machine.replug('B', { port: 40 });
    await until((now) => members(now).includes('B faulty'));
    const added = await change(cairn, { verb: 're-add', poolGroupGuid, member: { serial: 'B' } });
    const said = await cairn.trpc.operations.outputs.query({ id: added.id });
    expect(said.map(({ text }) => text).join('\n')).toContain('re-added');
    await until(({ poolStatus, health }) => poolStatus === 'active' && health === 'healthy');

    const replace = (serial: string) => ({
      ...{ verb: 'replace' as const, poolGroupGuid },
      ...{ member: { serial: 'C' }, drive: { serial } },
    });
    const small = await cairn.trpc.pools.previewChange.mutate({ request: replace('small') });
    expect(small).toMatchObject({ ok: false, issues: [{ code: 'replacement_too_small' }] });
    expect(JSON.stringify(small)).toMatch(/Drive small .* in the place of C /);

    // Cancelled while it is filled, the newcomer leaves, clean, and nothing has become less safe.
    await machine.throttle('D', { bytesPerSecond: 4 * MiB });
    const { id } = await begin(cairn, replace('D'));
    await cairn.until(
      () => cairn.trpc.operations.get.query({ id }),
      ({ progress }) => (progress?.percent ?? 0) > 1,
      LONG,
    );
    await cairn.trpc.operations.cancel.mutate({ id });
    expect(await cairn.waitForOperation(id, LONG)).toMatchObject({ state: 'cancelled' });
    await until((now) => members(now).join() === 'A active,B active,C active');
    expect(await machine.check('cat /proc/mdstat')).toContain('[UUU]');
    expect(await leftOn(machine, 'D', 'small')).toBe('');

    await machine.throttle('D', { bytesPerSecond: 40 * MiB });
    await machine.check(
      "systemd-run -q --unit watch-md bash -c 'while sleep 0.1; do cat /sys/block/md*/md/degraded; done'",
    );
    const replaced = await watch(cairn, poolGroupGuid, await begin(cairn, replace('D')));
    await machine.throttle('D', null);
    // The kernel marks the old one as failed once it is copied, a moment before it is taken out.
    expect([...replaced.statuses].filter((status) => !['active', 'faulty'].includes(status))).toEqual([]);
    const seen = await machine.check('systemctl stop watch-md; journalctl -u watch-md -o cat --no-pager');
    // The kernel's own count: /proc/mdstat shows a gap for the moment in which the newcomer, complete, takes the slot.
    expect(new Set(seen.split('\n').filter((line) => /^\d+$/.test(line)))).toEqual(new Set(['0']));
    await until((now) => members(now).join() === 'A active,B active,D active');
    expect(await leftOn(machine, 'C')).toBe('');

    const { sizeBytes } = await cairn.pool(poolGroupGuid);
    await change(cairn, { verb: 'expand', poolGroupGuid, drives: [{ serial: 'E' }] });
    const larger = await until((now) => (now.sizeBytes ?? 0) > (sizeBytes ?? 0) * 1.4);
    expect(members(larger)).toEqual(['A active', 'B active', 'D active', 'E active']);

    await change(cairn, { verb: 'add-drive', poolGroupGuid, drive: { serial: 'C' }, role: 'spare' });
    await until((now) => members(now).includes('C spare'));
    const data = { verb: 'remove-drive' as const, poolGroupGuid, member: { serial: 'E' } };
    expect(await refusal(cairn.trpc.pools.change.mutate({ request: data }))).toMatchObject({
      code: 'pool_wrong_state',
    });
    await machine.pullDrive('A');
    const saved = await until((now) => members(now).includes('C active'));
    expect(saved).toMatchObject({ poolStatus: 'active', health: 'warning' });
    expect(saved.healthText).toContain('Drive A is missing; a spare has taken the place');
    await machine.replug('A');
    await until((now) => members(now).includes('A faulty'));
    await change(cairn, { verb: 're-add', poolGroupGuid, member: { serial: 'A' } });
    await until((now) => members(now).includes('A spare') && now.health === 'healthy');

    await cairn.success(
      await cairn.trpc.pools.rename.mutate({ guid: poolGroupGuid, label: 'Holiday' }),
      LONG,
    );
    expect(await machine.check(`e2label $(findmnt -no SOURCE ${pool.mountPath})`)).toBe('Holiday');

    await change(cairn, { verb: 'release', poolGroupGuid });
    expect(await machine.check('cat /proc/mdstat')).not.toContain('active');
    const [found] = await cairn.until(
      () => cairn.trpc.found.list.query(),
      ([one]) => one?.verbs.adopt.allowed === true,
      LONG,
    );
    expect(found).toMatchObject({ guid: poolGroupGuid, byCairn: true, mountedAt: null });
    await cairn.success(await cairn.trpc.found.adopt.mutate({ found: found?.id ?? '' }), LONG);
    const again = await until(({ mounted }) => mounted);
    expect(again).toMatchObject({ label: 'Holiday', layout: 'raid5', options: { filesystem: 'ext4' } });
    expect(await sum(machine, again)).toBe(before);
    expect(await sum(machine, again, 'missed')).toBe(missed);
  },
);
