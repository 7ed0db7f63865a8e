/** LVM pools on a real kernel: every layout made, hurt, mended and taken away. */
import { expect, it } from 'vitest';
import type { PoolSpec } from '../../src/lib/plugin-api/storage.ts';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import makePlugin from '../../plugins/lvm/plugin.server.ts';
import type { Cairn } from './cairn.ts';
import { MiB } from './drives.ts';
import type { Machine } from './machine.ts';
import * as on from './pool-case.ts';
import { PlanRunner, pluginSdk } from './run-plan.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true });
const plugin = makePlugin(pluginSdk);
const CASE_MS = 570_000;
const SIZE = 400 * MiB;
const drives = (...serials: string[]) => serials.map((serial) => ({ serial, sizeBytes: SIZE }));

const make = (cairn: Cairn, layout: string, serials: string[], options = {}): Promise<Pool> =>
  cairn.createPool(
    {
      label: `Pool ${layout}`,
      plugin: 'lvm',
      layout,
      options,
      drives: serials.map((serial) => ({ serial })),
    },
    on.LONG,
  );
const volumeOf = ({ guid }: Pick<Pool, 'guid'>): string => `cairn_${guid.slice(0, 8)}-data`;
const idle = (machine: Machine, pool: Pick<Pool, 'guid'>): Promise<string> =>
  machine.until(`dmsetup status ${volumeOf(pool)} | grep -q " idle "`, {
    timeoutMs: 120_000,
    everyMs: 300,
  });
/** Nothing is left: no signature on any drive, no device. */
async function expectClean(machine: Machine, ...serials: string[]): Promise<void> {
  expect(await on.leftOn(machine, ...serials)).toBe('');
  expect(await machine.check('ls /dev/mapper')).toBe('control');
}

it(
  'a mirror says within two seconds which drive fails or is pulled, is rebuilt, grows, shrinks, is compared and removed',
  { timeout: CASE_MS },
  async () => {
    const cairn = await lab.cairn({ drives: drives('A', 'B', 'C', 'D') });
    const { machine } = cairn;
    const pool = await make(cairn, 'mirror', ['A', 'B']);
    const poolGroupGuid = pool.guid;
    const sum = await on.fill(machine, pool);
    await idle(machine, pool);

    // It is there, and writing to it fails: no drive comes or goes, and the kernel raises no event of a device.
    await machine.failWrites('B', 'all');
    await machine.run(`echo more >${pool.mountPath}/more; sync`);
    await machine.until(`dmsetup status ${volumeOf(pool)} | grep -q " AD "`);
    await on.expectDegraded(cairn, pool, 'B');
    await machine.pullDrive('B');
    await cairn.until(
      () => cairn.pool(pool.guid),
      (now) => on.statusOf(now).B === 'missing',
    );
    await on.change(cairn, {
      verb: 'replace',
      poolGroupGuid,
      member: { serial: 'B' },
      drive: { serial: 'C' },
    });
    const mended = await on.untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'active');
    expect(on.statusOf(mended)).toEqual({ A: 'active', C: 'active' });
    expect(mended.health).toBe('healthy');
    expect(await on.checksum(machine, pool)).toBe(sum);

    await on.change(cairn, { verb: 'expand', poolGroupGuid, drives: [{ serial: 'D' }] });
    await idle(machine, pool);
    await on.change(cairn, { verb: 'remove-drive', poolGroupGuid, member: { serial: 'A' } });
    expect(await on.leftOn(machine, 'A')).toBe('');
    await on.change(cairn, { verb: 'start-scrub', poolGroupGuid });
    await idle(machine, pool);
    const whole = await on.untilPool(cairn, pool, ({ work }) => work.length === 0);
    expect(on.statusOf(whole)).toEqual({ C: 'active', D: 'active' });
    expect(await on.checksum(machine, pool)).toBe(sum);
    await cairn.removePool(pool.guid, on.LONG);
    await expectClean(machine, 'A', 'C', 'D');
  },
);

it(
  'a parity volume names the drive that was pulled, is listed degraded after a power cut, and is rebuilt',
  { timeout: CASE_MS },
  async () => {
    const cairn = await lab.cairn({ drives: drives('A', 'B', 'C', 'D') });
    const { machine } = cairn;
    const pool = await make(cairn, 'raid5', ['A', 'B', 'C'], { filesystem: 'xfs' });
    const poolGroupGuid = pool.guid;
    const sum = await on.fill(machine, pool);
    await idle(machine, pool);
    const [refused] = await on.refusedChange(cairn, {
      verb: 'expand',
      poolGroupGuid,
      drives: [{ serial: 'D' }],
    });
    expect(refused).toMatchObject({ code: 'pool_wrong_state' });
    expect(refused?.message).toMatch(/safe way.*new pool/);

    await machine.pullDrive('B');
    await on.expectDegraded(cairn, pool, 'B');
    await machine.powerCut();
    await machine.boot({ order: ['D', 'C', 'A'] });
    await cairn.start();
    const listed = await on.untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'degraded');
    expect(on.statusOf(listed)).toMatchObject({ B: 'missing' });
    if (!listed.mounted)
      await cairn.success(await cairn.trpc.pools.mount.mutate({ guid: pool.guid }), on.LONG);
    expect(await on.checksum(machine, pool)).toBe(sum);

    await on.change(cairn, {
      verb: 'replace',
      poolGroupGuid,
      member: { serial: 'B' },
      drive: { serial: 'D' },
    });
    const mended = await on.untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'active');
    expect(on.statusOf(mended)).toEqual({ A: 'active', D: 'active', C: 'active' });
    expect(await on.checksum(machine, pool)).toBe(sum);
    await cairn.removePool(pool.guid, on.LONG);
    await expectClean(machine, 'A', 'C', 'D');
  },
);

it(
  'linear grows and gives a drive away while in use; a foreign group is found, left alone, adopted and released',
  { timeout: CASE_MS },
  async () => {
    const cairn = await lab.cairn({ drives: drives('A', 'B', 'C', 'F', 'G') });
    const { machine } = cairn;
    const pool = await make(cairn, 'linear', ['A']);
    const poolGroupGuid = pool.guid;
    const sum = await on.fill(machine, pool);
    await on.change(cairn, { verb: 'expand', poolGroupGuid, drives: [{ serial: 'B' }] });
    const larger = await on.untilPool(
      cairn,
      pool,
      ({ sizeBytes }) => (sizeBytes ?? 0) > (pool.sizeBytes ?? 0) * 1.8,
    );
    expect(on.statusOf(larger)).toEqual({ A: 'active', B: 'active' });
    await on.change(cairn, {
      verb: 'replace',
      poolGroupGuid,
      member: { serial: 'A' },
      drive: { serial: 'C' },
    });
    expect(on.statusOf(await cairn.pool(pool.guid))).toEqual({ C: 'active', B: 'active' });
    expect(await on.leftOn(machine, 'A')).toBe('');
    expect(await on.checksum(machine, pool)).toBe(sum);
    await machine.pullDrive('B');
    const failed = await on.untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'failed');
    expect(failed.healthText).toContain('Drive B is');
    await machine.replug('B', { port: 14 });

    const [f, g] = await machine.paths('F', 'G');
    await machine.check(`
      vgcreate -q attic ${f} ${g} && lvcreate -q -y -n old -l 100%FREE attic && mkfs.ext4 -q -L attic /dev/attic/old
      mkdir /mnt/old && mount /dev/attic/old /mnt/old && echo kept >/mnt/old/letter && umount /mnt/old && rmdir /mnt/old`);
    const found = await cairn.until(
      async () => {
        await cairn.trpc.found.refresh.mutate();
        return (await cairn.trpc.found.list.query()).filter(({ plugin: id }) => id === 'lvm');
      },
      (all) => all.some(({ label }) => label === 'attic'),
    );
    const [attic] = found;
    if (!attic || found.length > 1) throw new Error(JSON.stringify(found));
    expect(attic).toMatchObject({ byCairn: false, layout: 'linear', obstacle: null });
    expect(attic.members.map(({ serial }) => serial)).toEqual(['F', 'G']);
    expect(await cairn.trpc.found.ignore.mutate({ found: attic.id, on: true })).toMatchObject({
      ignored: true,
    });
    expect(await machine.check('vgs --noheadings -o vg_tags attic 2>/dev/null')).toBe('');
    await cairn.trpc.found.ignore.mutate({ found: attic.id, on: false });
    await cairn.success(await cairn.trpc.found.peek.mutate({ found: attic.id }), on.LONG);
    const inside = (await cairn.trpc.found.list.query()).find(({ id }) => id === attic.id)?.inside;
    expect(inside?.entries.map(({ name }) => name)).toContain('letter');
    expect(await machine.check('ls /dev/mapper/attic-old')).toBe('/dev/mapper/attic-old');
    await cairn.success(await cairn.trpc.found.adopt.mutate({ found: attic.id }), on.LONG);
    const adopted = await on.untilPool(
      cairn,
      { guid: attic.guid },
      ({ mounted, poolStatus }) => mounted && poolStatus === 'active',
    );
    expect(await machine.check(`cat ${adopted.mountPath}/letter`)).toBe('kept');
    await on.change(cairn, { verb: 'release', poolGroupGuid: adopted.guid });
    expect(await machine.check('vgs --noheadings -o vg_name attic 2>/dev/null')).toBe('attic');
  },
);

it(
  'a thin volume promises more than there is, says so, goes back to a snapshot and grows',
  { timeout: CASE_MS },
  async () => {
    const machine = await lab.machine({ drives: drives('A', 'B') });
    const runner = new PlanRunner(machine, plugin);
    const specOf = async (...serials: string[]): Promise<PoolSpec> => ({
      guid: '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a5b',
      label: 'thin',
      layout: 'thin',
      options: { filesystem: 'ext4', overcommitPercent: 200 },
      mountPath: '/mnt/pool',
      mountPathExisted: false,
      drives: await Promise.all(serials.map((serial, slot) => runner.drive(serial, slot))),
    });
    const status = async (spec: PoolSpec) => {
      await runner.refresh();
      return plugin.status(runner.context, spec);
    };
    const spec = await specOf('A');
    await runner.run(plugin.create(spec));
    const sum = await on.fill(machine, spec);
    await runner.run(plugin.snapshots.create(spec, { name: 'before upgrade' }));
    await machine.check(
      'echo changed >/mnt/pool/file; dd if=/dev/zero of=/mnt/pool/more bs=1M count=320 conv=fsync status=none',
    );
    const reading = await status(spec);
    expect(reading.healthText).toMatch(/nearly full: \d+ % .* promises more/);
    expect(reading.availableBytes).toBeLessThan(100 * MiB);
    expect(reading.sizeBytes).toBeGreaterThan(1.5 * SIZE);
    await runner.run(plugin.snapshots.rollBack(spec, { name: 'before upgrade', keepAs: 'after' }));
    expect(await on.checksum(machine, spec)).toBe(sum);
    await runner.refresh();
    const listed = await plugin.snapshots.list(runner.context, spec);
    expect(listed.map(({ name, readOnly }) => [name, readOnly]).toSorted()).toEqual([
      ['after', true],
      ['before upgrade', true],
    ]);
    await runner.run(plugin.snapshots.destroy(spec, { name: 'after' }));
    await runner.run(plugin.expand(spec, { added: [await runner.drive('B', 1)] }));
    const grown = await specOf('A', 'B');
    expect((await status(grown)).sizeBytes).toBeGreaterThan((reading.sizeBytes ?? 0) * 1.8);
    expect(await on.checksum(machine, spec)).toBe(sum);
    await runner.run(plugin.destroy(grown));
    await expectClean(machine, 'A', 'B');
    expect(await machine.check('ls /mnt')).not.toContain('pool');
  },
);
