/** Pools of the md plugin on a real kernel: made, degraded, mended, cut off and removed through Cairn. */
import { describe, expect, it } from 'vitest';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import type { PoolChangeRequest } from '../../src/lib/shared/wire/requests.ts';
import type { Cairn } from './cairn.ts';
import { MiB } from './drives.ts';
import type { Machine } from './machine.ts';
import { useLab } from './use-lab.ts';

const lab = useLab();
/** Emulated, and the machine may have other work. */
const LONG = { timeoutMs: 240_000 };
const CASE_MS = 600_000;

const drivesOf = (...serials: string[]) => serials.map((serial) => ({ serial, sizeBytes: 336 * MiB }));
const make = (cairn: Cairn, layout: string, serials: string[], options = {}): Promise<Pool> =>
  cairn.createPool(
    {
      label: `Pool ${layout}`,
      plugin: 'mdraid',
      layout,
      options,
      drives: serials.map((serial) => ({ serial })),
    },
    LONG,
  );
const members = ({ members }: Pool): string[] => members.map(({ serial, status }) => `${serial} ${status}`);

async function change(cairn: Cairn, request: PoolChangeRequest): Promise<void> {
  const shown = await cairn.trpc.pools.previewChange.mutate({ request });
  if (!shown.ok) throw new Error(`It cannot be done: ${JSON.stringify(shown.issues)}`);
  const confirmed = { request, ...cairn.confirm(shown.preview) };
  await cairn.success(await cairn.trpc.pools.change.mutate(confirmed), LONG);
}
const untilPool = (cairn: Cairn, { guid }: Pool, fits: (pool: Pool) => boolean): Promise<Pool> =>
  cairn.until(() => cairn.pool(guid), fits, LONG);

/** A file whose content is nowhere else, and its checksum. */
const fill = (machine: Machine, { mountPath }: Pool): Promise<string> =>
  machine.check(`head -c 8M /dev/urandom >${mountPath}/file; sync; sha256sum <${mountPath}/file`);
const sum = (machine: Machine, { mountPath }: Pool): Promise<string> =>
  machine.check(`echo 3 >/proc/sys/vm/drop_caches; sha256sum <${mountPath}/file`);
const untilIdle = (machine: Machine): Promise<string> =>
  machine.until('! grep -q "resync\\|recovery\\|reshape" /proc/mdstat', { timeoutMs: 120_000 });
/** What is left on drives, as wipefs tells; nothing for clean ones. */
const leftOn = (machine: Machine, ...serials: string[]): Promise<string> =>
  machine.check(`for serial in ${serials.join(' ')}; do wipefs --no-act $(lab-drive $serial); done`);

describe('a pool of the md driver', () => {
  it.each([
    ['raid0', ['A', 'B'], 'xfs'],
    ['raid1', ['A', 'B'], 'ext4'],
    ['raid6', ['A', 'B', 'C', 'D'], 'btrfs'],
    ['raid10', ['A', 'B', 'C', 'D'], 'xfs'],
  ])('is made as %s over %j with %s, and removed without a trace', { timeout: CASE_MS }, async (...of) => {
    const [layout, serials, filesystem] = of;
    const cairn = await lab.cairn({ drives: drivesOf(...serials) });
    const pool = await make(cairn, layout, serials, { filesystem });
    expect(members(pool)).toEqual(serials.map((serial) => `${serial} active`));
    expect(await cairn.machine.check(`findmnt -no FSTYPE ${pool.mountPath}`)).toBe(filesystem);
    expect(await cairn.machine.check('cat /proc/mdstat')).toContain(`active ${layout} `);
    await cairn.removePool(pool.guid, LONG);
    expect(await leftOn(cairn.machine, ...serials)).toBe('');
    expect(await cairn.machine.check('cat /proc/mdstat')).not.toContain('active');
  });

  it(
    'is degraded at once when a drive is pulled, takes it back, gives a drive away and grows, its content unchanged',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn({ drives: drivesOf('A', 'B', 'C', 'D', 'E') });
      const { machine } = cairn;
      const pool = await make(cairn, 'raid5', ['A', 'B', 'C']);
      const { guid: poolGroupGuid } = pool;
      const before = await fill(machine, pool);
      await untilIdle(machine);

      await machine.pullDrive('B');
      const degraded = await untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'degraded');
      expect(degraded.healthText).toContain('Drive B is missing');
      expect(members(degraded)).toEqual(['A active', 'B missing', 'C active']);
      expect(await sum(machine, pool)).toBe(before);

      // Another port, another name: the same drive.
      await machine.replug('B', { port: 12 });
      await untilPool(cairn, pool, (now) => members(now).includes('B faulty'));
      await change(cairn, { verb: 're-add', poolGroupGuid, member: { serial: 'B' } });
      await untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'active');

      await change(cairn, {
        verb: 'replace',
        poolGroupGuid,
        member: { serial: 'C' },
        drive: { serial: 'D' },
      });
      const replaced = await untilPool(cairn, pool, (now) => members(now).includes('D active'));
      expect(members(replaced)).toEqual(['A active', 'B active', 'D active']);
      expect(await leftOn(machine, 'C')).toBe('');

      const { sizeBytes } = replaced;
      await change(cairn, { verb: 'expand', poolGroupGuid, drives: [{ serial: 'E' }] });
      const larger = await untilPool(cairn, pool, (now) => (now.sizeBytes ?? 0) > (sizeBytes ?? 0) * 1.4);
      expect(members(larger)).toContain('E active');
      await change(cairn, { verb: 'start-scrub', poolGroupGuid });
      expect(await sum(machine, pool)).toBe(before);
    },
  );

  it(
    'comes back degraded after a power cut during its first build and without one member; stopped in a shell it is kept',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn({ drives: drivesOf('A', 'B', 'C') });
      const { machine } = cairn;
      await machine.throttle('C', { bytesPerSecond: 4 * MiB });
      const pool = await make(cairn, 'raid5', ['A', 'B', 'C']);
      const before = await fill(machine, pool);
      expect(await machine.check('cat /proc/mdstat')).toContain('resync');
      await machine.powerCut();
      await machine.throttle('C', null);
      await cairn.boot();
      await untilPool(cairn, pool, ({ mounted }) => mounted);
      expect(await sum(machine, pool)).toBe(before);
      await untilIdle(machine);

      await machine.check(`umount ${pool.mountPath} && mdadm --stop /dev/md/cairn-*`);
      const stopped = await untilPool(cairn, pool, ({ mounted }) => !mounted);
      expect(stopped.state).not.toBe('deleted');
      await machine.powerCut();
      await machine.boot();
      await machine.pullDrive('C');
      await cairn.start();
      const missing = await untilPool(cairn, pool, ({ poolStatus }) => poolStatus === 'degraded');
      expect(missing.healthText).toContain('Drive C is');
      await cairn.success(await cairn.trpc.pools.mount.mutate({ guid: pool.guid }), LONG);
      expect(await sum(machine, pool)).toBe(before);
    },
  );
});
