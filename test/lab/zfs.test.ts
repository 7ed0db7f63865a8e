/** ZFS on a real kernel, through Cairn as its unit runs it. */
import { describe, expect, it } from 'vitest';
import type { FoundPool } from '../../src/lib/shared/wire/found.ts';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import type { Cairn } from './cairn.ts';
import { MiB } from './drives.ts';
import * as on from './pool-case.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ zfs: true, cairn: true });
const CASE_MS = 570_000;
const drives = (...serials: string[]) => serials.map((serial) => ({ serial, sizeBytes: 300 * MiB }));

const make = (cairn: Cairn, layout: string, ...serials: string[]): Promise<Pool> =>
  cairn.createPool(
    { label: 'Tank', plugin: 'zfs', layout, drives: serials.map((serial) => ({ serial })) },
    on.LONG,
  );
const member = (serial: string) => ({ serial });

const found = (cairn: Cairn, label: string): Promise<FoundPool> =>
  cairn
    .until(
      async () => {
        await cairn.trpc.found.refresh.mutate();
        return (await cairn.trpc.found.list.query()).filter((one) => one.label === label);
      },
      (all) => all.length === 1,
      on.LONG,
    )
    .then(([one]) => one as FoundPool);
const openAlerts = async (cairn: Cairn): Promise<string[]> =>
  (await cairn.trpc.alerts.list.query({})).open.map(({ kind }) => kind);

describe('a ZFS pool', () => {
  it(
    'of raidz1 says within two seconds which drive was pulled, is rebuilt, and has spare, log and cache',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn({ drives: drives('A', 'B', 'C', 'D', 'S', 'L', 'K') });
      const { machine } = cairn;
      const pool = await make(cairn, 'raidz1', 'A', 'B', 'C');
      const poolGroupGuid = pool.guid;
      const sum = await on.fill(machine, pool);

      await machine.pullDrive('B');
      await on.expectDegraded(cairn, pool, 'B');
      await on.change(cairn, { verb: 'replace', poolGroupGuid, member: member('B'), drive: { serial: 'D' } });
      const whole = await on.untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'active');
      expect(on.statusOf(whole)).toEqual({ A: 'active', D: 'active', C: 'active' });
      expect(await on.checksum(machine, pool)).toBe(sum);

      for (const [serial, role] of [
        ['S', 'spare'],
        ['L', 'log'],
        ['K', 'cache'],
      ] as const)
        await on.change(cairn, { verb: 'add-drive', poolGroupGuid, drive: { serial }, role });
      const roles = await on.untilPool(cairn, pool, ({ members }) => members.length === 6);
      expect(roles.members.map(({ serial, role }) => `${serial} ${role}`)).toEqual(
        expect.arrayContaining(['S spare', 'L log', 'K cache']),
      );
      expect(on.statusOf(roles)).toMatchObject({ S: 'spare', L: 'active', K: 'active' });

      // ZFS's own daemon puts the spare in; back again, the drive takes its place.
      await machine.pullDrive('A');
      await on.untilPool(cairn, pool, (now) => on.statusOf(now).S === 'active');
      await machine.replug('A', { port: 15 });
      await on.untilPool(cairn, pool, (now) => on.statusOf(now).A !== 'missing');
      if (on.statusOf(await cairn.pool(pool.guid)).A === 'faulty')
        await on.change(cairn, { verb: 're-add', poolGroupGuid, member: member('A') });
      await on.untilPool(cairn, pool, (now) => on.statusOf(now).S === 'spare');
      await on.change(cairn, { verb: 'remove-drive', poolGroupGuid, member: member('L') });
      expect(await on.checksum(machine, pool)).toBe(sum);

      await cairn.removePool(pool.guid, on.LONG);
      expect(await on.leftOn(machine, 'A', 'C', 'D', 'S', 'L', 'K')).toBe('');
      expect(await machine.check('zpool list -H; zpool import 2>&1')).toMatch(/no pools available/);
    },
  );

  it(
    'of mirrors mends a damaged copy in a scrub, is there after a power cut, and degraded, not gone, without a member',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn({ drives: drives('A', 'B') });
      const { machine } = cairn;
      const pool = await make(cairn, 'mirror', 'A', 'B');
      const poolGroupGuid = pool.guid;
      const sum = await on.fill(machine, pool);
      const [path] = await machine.paths('A');
      await machine.check(
        `dd if=/dev/zero of=${path}1 bs=1M seek=10 count=200 oflag=direct conv=notrunc status=none`,
      );
      await on.change(cairn, { verb: 'start-scrub', poolGroupGuid });
      const mended = await on.untilPool(cairn, pool, ({ lastScrub }) => (lastScrub?.errors ?? 0) > 0);
      expect(mended).toMatchObject({ lastScrub: { state: 'finished', uncorrectable: 0 }, health: 'warning' });
      expect(mended.healthText).toContain('A');
      await cairn.until(
        () => openAlerts(cairn),
        (kinds) => kinds.includes('pool.scrub-errors'),
      );
      await on.change(cairn, { verb: 'start-scrub', poolGroupGuid });
      const clean = await on.untilPool(
        cairn,
        pool,
        ({ lastScrub, work }) => lastScrub?.errors === 0 && work.length === 0,
      );
      expect(clean).toMatchObject({ poolStatus: 'active', health: 'healthy' });
      await cairn.until(
        () => openAlerts(cairn),
        (kinds) => !kinds.includes('pool.scrub-errors'),
      );
      expect(await on.checksum(machine, pool)).toBe(sum);

      await machine.powerCut();
      await cairn.boot();
      await on.untilPool(cairn, pool, ({ mounted }) => mounted);
      expect(await on.checksum(machine, pool)).toBe(sum);
      await machine.powerCut();
      await machine.boot();
      await machine.pullDrive('B');
      await cairn.start();
      const missing = await on.untilPool(
        cairn,
        pool,
        ({ poolStatus, mounted }) => poolStatus === 'degraded' || mounted,
      );
      expect(missing.state).not.toBe('deleted');
      expect(on.statusOf(missing)).toMatchObject({ B: 'missing' });
      if (!missing.mounted)
        await cairn.success(await cairn.trpc.pools.mount.mutate({ guid: pool.guid }), on.LONG);
      const degraded = await on.untilPool(cairn, pool, ({ mounted }) => mounted);
      expect(degraded).toMatchObject({ poolStatus: 'degraded' });
      expect(degraded.healthText).toContain('B');
      expect(await on.checksum(machine, pool)).toBe(sum);
    },
  );

  it('that waits for its drives keeps nobody else waiting', { timeout: CASE_MS }, async () => {
    const cairn = await lab.cairn({ drives: drives('A', 'B') });
    const { machine } = cairn;
    const pool = await make(cairn, 'mirror', 'A', 'B');
    await machine.pullDrive('A');
    await machine.pullDrive('B');
    await machine.check(`systemd-run --quiet sh -c 'echo x >${pool.mountPath}/x; sync'`);
    await on.untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'failed');
    for (const path of ['/api/v1/pools', `/api/v1/pools/${pool.guid}`, '/api/v1/drives', '/api/ready']) {
      const asked = performance.now();
      expect((await cairn.api.get(path)).status).toBe(200);
      expect(performance.now() - asked).toBeLessThan(on.PROMPT_MS);
    }
    const [refused] = await on.refusedChange(cairn, { verb: 'start-scrub', poolGroupGuid: pool.guid });
    expect(refused?.message).toContain('suspended');
  });

  it('cut in the middle of being made leaves nothing behind', { timeout: CASE_MS }, async () => {
    const cairn = await lab.cairn({ drives: drives('A', 'B') });
    const { machine } = cairn;
    for (const serial of ['A', 'B']) await machine.throttle(serial, { iops: 60 });
    const { guid } = await cairn.startPool({
      label: 'Tank',
      plugin: 'zfs',
      layout: 'mirror',
      drives: [{ serial: 'A' }, { serial: 'B' }],
    });
    await machine.until('pgrep -f "^/usr/sbin/zpool create"', { timeoutMs: 120_000, everyMs: 50 });
    await machine.powerCut();
    for (const serial of ['A', 'B']) await machine.throttle(serial, null);
    await cairn.boot();
    await cairn.until(
      () => cairn.trpc.pools.list.query(),
      (pools) => !pools.some((pool) => pool.guid === guid),
      on.LONG,
    );
    expect(await on.leftOn(machine, 'A', 'B')).toBe('');
  });

  it(
    'let go is found by its GUID and taken in again; one of another system is looked into, adopted, or erased as a step',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn({ drives: drives('A', 'B', 'F', 'G') });
      const { machine } = cairn;
      const stripe = await make(cairn, 'stripe', 'A', 'B');
      const sum = await on.fill(machine, stripe);
      await on.change(cairn, { verb: 'release', poolGroupGuid: stripe.guid });
      expect(await machine.check('zpool list -H -o name')).toBe('');
      const own = await found(cairn, 'Tank');
      expect(own).toMatchObject({ guid: stripe.guid, byCairn: true, layout: 'stripe', obstacle: null });
      await cairn.success(await cairn.trpc.found.adopt.mutate({ found: own.id }), on.LONG);
      const again = await on.untilPool(cairn, stripe, ({ mounted }) => mounted);
      expect(await on.checksum(machine, again)).toBe(sum);

      const [f, g] = await machine.paths('F', 'G');
      await machine.check(`
        zpool create -f -o cachefile=none attic mirror ${f} ${g}
        echo kept >/attic/letter
        zpool export attic`);
      const attic = await found(cairn, 'attic');
      expect(attic).toMatchObject({ byCairn: false, layout: 'mirror', obstacle: null });
      await cairn.trpc.found.ignore.mutate({ found: attic.id, on: true });
      expect(await machine.check('zpool list -H -o name')).not.toContain('attic');
      await cairn.trpc.found.ignore.mutate({ found: attic.id, on: false });
      await cairn.success(await cairn.trpc.found.peek.mutate({ found: attic.id }), on.LONG);
      const seen = await found(cairn, 'attic');
      expect(seen.inside?.entries.map(({ name }) => name)).toEqual(['letter']);
      expect(await machine.check('zpool list -H -o name')).not.toContain('attic');
      await cairn.success(await cairn.trpc.found.adopt.mutate({ found: attic.id }), on.LONG);
      const adopted = await on.untilPool(
        cairn,
        { guid: attic.guid },
        ({ mounted, poolStatus }) => mounted && poolStatus === 'active',
      );
      expect(on.statusOf(adopted)).toEqual({ F: 'active', G: 'active' });
      expect(await machine.check(`cat ${adopted.mountPath}/letter`)).toBe('kept');
      await on.change(cairn, { verb: 'release', poolGroupGuid: adopted.guid });

      const pool = await cairn.createPool(
        { label: 'New', plugin: 'btrfs', layout: 'raid1', drives: [member('F'), member('G')] },
        on.LONG,
      );
      expect(await machine.check('zpool import 2>&1')).toMatch(/no pools available/);
      await cairn.removePool(pool.guid, on.LONG);
      expect(await on.leftOn(machine, 'F', 'G')).toBe('');
    },
  );
});
