/** ZFS on a real kernel, through Cairn as its unit runs it. */
import { describe, expect, it } from 'vitest';
import type { PoolChangeRequest } from '../../src/lib/shared/wire/requests.ts';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import type { Cairn } from './cairn.ts';
import { MiB } from './drives.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ zfs: true });
const CASE_MS = 300_000;
const OPERATION = { timeoutMs: 180_000 };
const drives = (...serials: string[]) => serials.map((serial) => ({ serial, sizeBytes: 300 * MiB }));

const make = (cairn: Cairn, layout: string, ...serials: string[]): Promise<Pool> =>
  cairn.createPool(
    { label: 'Tank', plugin: 'zfs', layout, drives: serials.map((serial) => ({ serial })) },
    OPERATION,
  );

/** As a person does it: the plan is shown, then confirmed. */
async function change(cairn: Cairn, request: PoolChangeRequest): Promise<void> {
  const shown = await cairn.trpc.pools.previewChange.mutate({ request });
  if (!shown.ok) throw new Error(`It is refused: ${JSON.stringify(shown.issues)}`);
  const started = await cairn.trpc.pools.change.mutate({ request, ...cairn.confirm(shown.preview) });
  await cairn.success(started, OPERATION);
}

const fill = ({ machine }: Cairn, path: string): Promise<string> =>
  machine.check(`head -c 20M /dev/urandom >${path}/file; sync; sha256sum <${path}/file`);
const sum = ({ machine }: Cairn, path: string): Promise<string> =>
  machine.check(`echo 3 >/proc/sys/vm/drop_caches; sha256sum <${path}/file`);
const statusOf = (pool: Pool): Record<string, string> =>
  Object.fromEntries(pool.members.map(({ serial, status }) => [serial ?? '', status]));
const leftOn = async ({ machine }: Cairn, ...serials: string[]): Promise<string> => {
  const paths = (await machine.paths(...serials)).join(' ');
  return machine.check(
    `udevadm settle; for d in ${paths}; do wipefs --no-act $d; ls $d?* 2>/dev/null; done; true`,
  );
};

describe('a ZFS pool', () => {
  it(
    'loses a drive, says which within two seconds, and is whole again with another',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn({ drives: drives('Z1', 'Z2', 'Z3', 'Z4') });
      const pool = await make(cairn, 'raidz1', 'Z1', 'Z2', 'Z3');
      const before = await fill(cairn, pool.mountPath);

      await cairn.machine.pullDrive('Z2');
      const pulledAt = Date.now();
      const degraded = await cairn.until(
        () => cairn.pool(pool.guid),
        ({ poolStatus }) => poolStatus === 'degraded',
      );
      expect(Date.now() - pulledAt).toBeLessThan(2_000);
      expect(degraded.healthText).toContain('Z2');
      expect(statusOf(degraded)).toMatchObject({ Z1: 'active', Z2: 'missing', Z3: 'active' });

      const member = { serial: 'Z2' };
      await change(cairn, {
        verb: 'replace',
        poolGroupGuid: pool.guid,
        member,
        drive: { serial: 'Z4' },
      });
      const whole = await cairn.until(
        () => cairn.pool(pool.guid),
        ({ poolStatus }) => poolStatus === 'active',
      );
      expect(statusOf(whole)).toEqual({ Z1: 'active', Z4: 'active', Z3: 'active' });
      expect(await sum(cairn, pool.mountPath)).toBe(before);

      await cairn.removePool(pool.guid, OPERATION);
      expect(await leftOn(cairn, 'Z1', 'Z3', 'Z4')).toBe('');
      expect(await cairn.machine.check('zpool list -H; zpool import 2>&1')).toBe(
        'no pools available to import',
      );
    },
  );

  it('mends a damaged copy in a scrub and says so', { timeout: CASE_MS }, async () => {
    const cairn = await lab.cairn({ drives: drives('Z1', 'Z2') });
    const pool = await make(cairn, 'mirror', 'Z1', 'Z2');
    const before = await fill(cairn, pool.mountPath);
    const [path] = await cairn.machine.paths('Z1');
    await cairn.machine.check(
      `dd if=/dev/zero of=${path}1 bs=1M seek=10 count=200 oflag=direct conv=notrunc status=none`,
    );
    await change(cairn, { verb: 'start-scrub', poolGroupGuid: pool.guid });
    const mended = await cairn.until(
      () => cairn.pool(pool.guid),
      ({ lastScrub }) => (lastScrub?.errors ?? 0) > 0,
    );
    expect(mended).toMatchObject({ lastScrub: { state: 'finished', uncorrectable: 0 }, health: 'warning' });
    expect(mended.healthText).toContain('Z1');
    expect(await sum(cairn, pool.mountPath)).toBe(before);
  });

  it('that waits for its drives keeps nobody else waiting', { timeout: CASE_MS }, async () => {
    const cairn = await lab.cairn({ drives: drives('Z1', 'Z2') });
    const pool = await make(cairn, 'mirror', 'Z1', 'Z2');
    await cairn.machine.pullDrive('Z1');
    await cairn.machine.pullDrive('Z2');
    await cairn.machine.check(`systemd-run --quiet sh -c 'echo x >${pool.mountPath}/x; sync'`);
    await cairn.until(
      () => cairn.pool(pool.guid),
      ({ poolStatus }) => poolStatus === 'failed',
    );
    for (const path of ['/api/v1/pools', `/api/v1/pools/${pool.guid}`, '/api/v1/drives', '/api/ready']) {
      const asked = Date.now();
      expect((await cairn.api.get(path)).status).toBe(200);
      expect(Date.now() - asked).toBeLessThan(2_000);
    }
  });

  it('cut in the middle of being made leaves nothing behind', { timeout: CASE_MS }, async () => {
    const cairn = await lab.cairn({ drives: drives('Z1', 'Z2') });
    for (const serial of ['Z1', 'Z2']) await cairn.machine.throttle(serial, { iops: 60 });
    const { guid } = await cairn.startPool({
      label: 'Tank',
      plugin: 'zfs',
      layout: 'mirror',
      drives: [{ serial: 'Z1' }, { serial: 'Z2' }],
    });
    await cairn.machine.until('pgrep -x zpool', { timeoutMs: 120_000, everyMs: 50 });
    await cairn.machine.powerCut();
    for (const serial of ['Z1', 'Z2']) await cairn.machine.throttle(serial, null);
    await cairn.boot();
    await cairn.until(
      () => cairn.trpc.pools.list.query(),
      (pools) => !pools.some((pool) => pool.guid === guid),
      OPERATION,
    );
    expect(await leftOn(cairn, 'Z1', 'Z2')).toBe('');
  });

  it('comes back after a power cut with what was in it', { timeout: CASE_MS }, async () => {
    const cairn = await lab.cairn({ drives: drives('Z1', 'Z2') });
    const pool = await make(cairn, 'mirror', 'Z1', 'Z2');
    const before = await fill(cairn, pool.mountPath);
    await cairn.machine.powerCut();
    await cairn.boot();
    await cairn.until(
      () => cairn.pool(pool.guid),
      ({ mounted }) => mounted,
      OPERATION,
    );
    expect(await sum(cairn, pool.mountPath)).toBe(before);
  });

  it(
    'of another machine is cleaned from its drives as a step of a new pool',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn({ drives: drives('Z1', 'Z2') });
      const [one, two] = await cairn.machine.paths('Z1', 'Z2');
      await cairn.machine.check(
        `zpool create -f -m none old mirror ${one} ${two}; zpool export old; udevadm settle`,
      );
      await cairn.until(
        () => cairn.drive('Z1'),
        ({ partitions }) => JSON.stringify(partitions).includes('zfs_member'),
      );
      const pool = await cairn.createPool(
        { label: 'New', plugin: 'btrfs', layout: 'raid1', drives: [{ serial: 'Z1' }, { serial: 'Z2' }] },
        OPERATION,
      );
      expect(await cairn.machine.check('zpool import 2>&1')).toBe('no pools available to import');
      await cairn.removePool(pool.guid, OPERATION);
      expect(await leftOn(cairn, 'Z1', 'Z2')).toBe('');
    },
  );
});
