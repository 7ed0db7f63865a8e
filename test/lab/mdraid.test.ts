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
const NOTICED_MS = 2_000;

const make = (cairn: Cairn, layout: string, serials: string[], options: Pool['options'] = {}) =>
  pools.make(cairn, { label: `Pool ${layout}`, plugin: 'mdraid', layout, serials, options });
const untilIdle = (machine: Machine): Promise<string> =>
  machine.until('! grep -q "resync\\|recovery\\|reshape\\|check" /proc/mdstat', LONG);

/** Milliseconds from the pull until the pool tells it. */
async function noticed(cairn: Cairn, { guid }: Pool, serial: string): Promise<number> {
  const { machine } = cairn;
  // What the last change has begun is over: searches for pools, questions about health.
  await machine.until('! pgrep -x "lvm|zpool|smartctl" >/dev/null', LONG);
  const began = performance.now();
  await machine.pullDrive(serial);
  await untilPool(cairn, guid, ({ poolStatus, members: all }) => {
    const gone = all.filter(({ status }) => status === 'missing').map((member) => member.serial);
    return poolStatus === 'degraded' && gone.join() === serial;
  });
  return performance.now() - began;
}

const LAYOUTS = [
  { layout: 'raid0', filesystem: 'xfs', count: 2, fresh: null },
  { layout: 'raid1', filesystem: 'ext4', count: 2, fresh: '1Z' },
  { layout: 'raid5', filesystem: 'btrfs', count: 3, fresh: '5Z' },
  { layout: 'raid6', filesystem: 'ext4', count: 4, fresh: '6Z' },
  { layout: 'raid10', filesystem: 'xfs', count: 4, fresh: '10Z' },
].map((one) => ({
  ...one,
  serials: ['A', 'B', 'C', 'D'].slice(0, one.count).map((name) => `${one.layout.slice(4)}${name}`),
}));

it(
  'every layout is made, tells within two seconds which drive was pulled, is rebuilt and checked with its content unchanged, and leaves clean drives',
  { timeout: CASE_MS },
  async () => {
    const serials = LAYOUTS.flatMap((one) => [...one.serials, ...(one.fresh ? [one.fresh] : [])]);
    const cairn = await lab.cairn({ drives: drivesOf(...serials), ...GUEST });
    const { machine } = cairn;
    const made = await Promise.all(
      LAYOUTS.map(async (one) => {
        const pool = await make(cairn, one.layout, one.serials, { filesystem: one.filesystem });
        expect(members(pool)).toEqual(one.serials.map((serial) => `${serial} active`));
        return { ...one, pool, before: await fill(machine, pool) };
      }),
    );
    for (const { layout, filesystem, pool } of made) {
      expect(await machine.check(`findmnt -no FSTYPE ${pool.mountPath}`)).toBe(filesystem);
      expect(await machine.check('cat /proc/mdstat')).toContain(`active ${layout} `);
    }
    await untilIdle(machine);

    for (const { pool, serials: all, fresh } of made) {
      const [, pulled = ''] = all;
      if (fresh === null) continue;
      expect(await noticed(cairn, pool, pulled), `${pool.label}: when it was noticed`).toBeLessThan(
        NOTICED_MS,
      );
      const degraded = await cairn.pool(pool.guid);
      expect(degraded.healthText).toContain(`Drive ${pulled} is missing`);
      expect(members(degraded)).toEqual(
        all.map((serial) => `${serial} ${serial === pulled ? 'missing' : 'active'}`),
      );
    }

    await Promise.all(
      made.map(async ({ layout, pool, serials: all, fresh, before }) => {
        const { guid } = pool;
        const on = all.map((serial, slot) => (slot === 1 && fresh ? fresh : serial));
        expect(await sum(machine, pool), layout).toBe(before);
        if (fresh !== null) {
          await machine.throttle(fresh, { bytesPerSecond: 40 * MiB });
          const drive = { serial: fresh };
          const replacing = await begin(cairn, {
            verb: 'replace',
            poolGroupGuid: guid,
            member: { slot: 1 },
            drive,
          });
          const seen = await watch(cairn, guid, replacing);
          await machine.throttle(fresh, null);
          expect(
            seen.percents.some((percent) => percent > 0 && percent < 100),
            `${layout}: progress`,
          ).toBe(true);
          expect(seen.percents).toEqual(seen.percents.toSorted((a, b) => a - b));
          expect([...seen.statuses]).not.toContain('unknown');
          const whole = await untilPool(cairn, guid, ({ health }) => health === 'healthy');
          expect(members(whole)).toEqual(on.map((serial) => `${serial} active`));
          await change(cairn, { verb: 'start-scrub', poolGroupGuid: guid });
          const scrubbed = await untilPool(cairn, guid, ({ lastScrub }) => lastScrub?.state === 'finished');
          expect(scrubbed.lastScrub, layout).toMatchObject({ errors: 0, uncorrectable: 0 });
        }
        expect(await sum(machine, pool), layout).toBe(before);
        await cairn.removePool(guid, LONG);
        expect(await leftOn(machine, ...on), layout).toBe('');
      }),
    );
    expect(await machine.check('cat /proc/mdstat')).not.toContain('md1');
  },
);

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
      'systemd-run -q --unit watch-md bash -c \'while sleep 0.1; do grep -o "\\[[U_]*\\]" /proc/mdstat; done\'',
    );
    const replaced = await watch(cairn, poolGroupGuid, await begin(cairn, replace('D')));
    await machine.throttle('D', null);
    // The kernel marks the old one as failed once it is copied, a moment before it is taken out.
    expect([...replaced.statuses].filter((status) => !['active', 'faulty'].includes(status))).toEqual([]);
    const seen = await machine.check('systemctl stop watch-md; journalctl -u watch-md -o cat --no-pager');
    // systemd has its say there too, and quotes the command.
    expect(new Set(seen.split('\n').filter((line) => /^\[[U_]+\]$/.test(line)))).toEqual(new Set(['[UUU]']));
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
