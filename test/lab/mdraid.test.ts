/** Pools of the md plugin on a real kernel, through Cairn: what may happen to one in its life. */
import { expect, it } from 'vitest';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import { refusal } from './cairn-client.ts';
import { MiB, type DriveSpec } from './drives.ts';
import * as pools from './mdraid-case.ts';
import { useLab } from './use-lab.ts';

const { LONG, begin, change, drivesOf, fill, leftOn, members, sum, untilPool, watch } = pools;
const lab = useLab({ cairn: true });

/** A pool with content, all of whose members are filled. */
async function start(serials: string[], more: DriveSpec[] = [], layout = 'raid5') {
  const cairn = await lab.cairn({ drives: [...drivesOf(...serials), ...more] });
  const { machine } = cairn;
  const used = serials.slice(0, layout === 'raid1' ? 2 : 3);
  const pool = await pools.make(cairn, { label: 'Pool', plugin: 'mdraid', layout, serials: used });
  const before = await fill(machine, pool);
  await machine.until('! grep -q "resync\\|recovery\\|reshape\\|check" /proc/mdstat', LONG);
  const until = (fits: (now: Pool) => boolean): Promise<Pool> => untilPool(cairn, pool.guid, fits);
  return { cairn, machine, pool, poolGroupGuid: pool.guid, before, until };
}

it('a drive that was pulled is taken back, and only what it has missed is copied', async () => {
  const { cairn, machine, pool, poolGroupGuid, before, until } = await start(['A', 'B', 'C']);
  await machine.pullDrive('B');
  await until(({ poolStatus }) => poolStatus === 'degraded');
  const missed = await fill(machine, pool, 'missed');
  // Another port, another name: the same drive.
  await machine.replug('B', { port: 40 });
  await until((now) => members(now).includes('B faulty'));
  const added = await change(cairn, { verb: 're-add', poolGroupGuid, member: { serial: 'B' } });
  const said = await cairn.trpc.operations.outputs.query({ id: added.id });
  expect(said.map(({ text }) => text).join('\n')).toContain('re-added');
  await until(({ poolStatus, health }) => poolStatus === 'active' && health === 'healthy');
  expect(await sum(machine, pool)).toBe(before);
  expect(await sum(machine, pool, 'missed')).toBe(missed);
});

it('a drive gives its place to another one, which can be cancelled, and nothing is less safe meanwhile', async () => {
  const small = { serial: 'small', sizeBytes: 330 * MiB };
  const { cairn, machine, pool, poolGroupGuid, before, until } = await start(['A', 'B', 'C', 'D'], [small]);
  const replace = (serial: string) => ({
    ...{ verb: 'replace' as const, poolGroupGuid },
    ...{ member: { serial: 'C' }, drive: { serial } },
  });
  const tooSmall = await cairn.trpc.pools.previewChange.mutate({ request: replace('small') });
  expect(tooSmall).toMatchObject({ ok: false, issues: [{ code: 'replacement_too_small' }] });
  expect(JSON.stringify(tooSmall)).toMatch(/Drive small .* in the place of C /);

  // Cancelled while it is filled, the newcomer leaves, clean.
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
  expect(await sum(machine, pool)).toBe(before);
});

it('a pool grows by a drive, whose content stays', async () => {
  const { cairn, machine, pool, poolGroupGuid, before, until } = await start(['A', 'B', 'C', 'D']);
  const { sizeBytes } = await cairn.pool(poolGroupGuid);
  await change(cairn, { verb: 'expand', poolGroupGuid, drives: [{ serial: 'D' }] });
  const larger = await until((now) => (now.sizeBytes ?? 0) > (sizeBytes ?? 0) * 1.4);
  expect(members(larger)).toEqual(['A active', 'B active', 'C active', 'D active']);
  const data = { verb: 'remove-drive' as const, poolGroupGuid, member: { serial: 'D' } };
  expect(await refusal(cairn.trpc.pools.change.mutate({ request: data }))).toMatchObject({
    code: 'pool_wrong_state',
  });
  expect(await sum(machine, pool)).toBe(before);
});

it('a spare steps in for a drive that was pulled, which comes back as the spare', async () => {
  const { cairn, machine, pool, poolGroupGuid, before, until } = await start(['A', 'B', 'C', 'D']);
  await change(cairn, { verb: 'add-drive', poolGroupGuid, drive: { serial: 'D' }, role: 'spare' });
  await until((now) => members(now).includes('D spare'));
  await machine.pullDrive('A');
  const saved = await until((now) => members(now).includes('D active'));
  expect(saved).toMatchObject({ poolStatus: 'active', health: 'warning' });
  expect(saved.healthText).toContain('Drive A is missing; a spare has taken the place');
  await machine.replug('A');
  await until((now) => members(now).includes('A faulty'));
  await change(cairn, { verb: 're-add', poolGroupGuid, member: { serial: 'A' } });
  await until((now) => members(now).includes('A spare') && now.health === 'healthy');
  expect(await sum(machine, pool)).toBe(before);
});

it('a pool is renamed, let go of and adopted again, its content unchanged', async () => {
  const { cairn, machine, pool, poolGroupGuid, before, until } = await start(['A', 'B'], [], 'raid1');
  await cairn.success(await cairn.trpc.pools.rename.mutate({ guid: poolGroupGuid, label: 'Holiday' }), LONG);
  expect(await machine.check(`e2label $(findmnt -no SOURCE ${pool.mountPath})`)).toBe('Holiday');

  await change(cairn, { verb: 'release', poolGroupGuid });
  expect(await machine.check('cat /proc/mdstat')).not.toContain('active');
  // For a moment it is shown as it was when it was looked at last: still mounted.
  const [found] = await cairn.until(
    () => cairn.trpc.found.list.query(),
    ([one]) => one?.verbs.adopt.allowed === true && one.mountedAt === null,
    LONG,
  );
  expect(found).toMatchObject({ guid: poolGroupGuid, byCairn: true });
  await cairn.success(await cairn.trpc.found.adopt.mutate({ found: found?.id ?? '' }), LONG);
  const again = await until(({ mounted }) => mounted);
  expect(again).toMatchObject({ label: 'Holiday', layout: 'raid1', options: { filesystem: 'ext4' } });
  expect(await sum(machine, again)).toBe(before);
});
