import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import { derivedUuid } from '$lib/plugin-api/steps';
import type { Action, Step } from '$lib/plugin-api/plan';
import type { PluginContext, PoolDrive, PoolSpec } from '$lib/plugin-api/storage';
import { checkPlan } from '$lib/server/plugins/plan-check';
import { parseArray, type ArrayState } from '$plugins/mdraid/array';
import { btrfsBytes, ext4Bytes, xfsBytes } from '$plugins/mdraid/filesystem-size';
import { partitionBytes, smallestAlike, usableBytes } from '$plugins/mdraid/layouts';
import { arrayName, guidOfName } from '$plugins/mdraid/mdadm';
import { parseExamine } from '$plugins/mdraid/parse-examine';
import makePlugin from '$plugins/mdraid/plugin.server';
import { status } from '$plugins/mdraid/status';
import { lastScrubOf } from '$plugins/mdraid/work';

const GUID = '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a5b';
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const TB = 1e12;
const plugin = makePlugin(sdk);
const ARRAY = derivedUuid(GUID, 'array');

const mdadm = (name: string): string => readFileSync(`test/fixtures/mdadm/${name}`, 'utf8');
/** `path=value` a line, as sysfs said it. */
const sysfs = (name: string): Map<string, string> =>
  new Map(
    readFileSync(`test/fixtures/sysfs-md/${name}.txt`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)] as const;
      }),
  );
const array = (name: string): ArrayState => parseArray(sysfs(name));

const drive = (slot: number, extra: Partial<PoolDrive> = {}): PoolDrive => ({
  id: `drive-${slot}`,
  serial: `SER${slot}`,
  label: `bay ${slot}`,
  sizeBytes: GIB,
  slot,
  contentHash: 'blank',
  partitions: [],
  present: true,
  ...extra,
});
const spec = (layout = 'raid5', count = 4, options = {}): PoolSpec => ({
  guid: GUID,
  label: 'tank',
  layout,
  options: { filesystem: 'ext4', chunkKib: '512', bitmap: true, ...options },
  mountPath: '/mnt/tank',
  mountPathExisted: false,
  drives: Array.from({ length: count }, (_, slot) => drive(slot)),
});
const argvOf = (steps: Step[], name: string): unknown[] => {
  const run: Action | undefined = steps.find((step) => step.name === name)?.run;
  return run?.do === 'exec' ? run.argv : [];
};
const names = (steps: Step[]): string[] => steps.map((step) => step.name);

describe('the name of an array', () => {
  it('tells the GUID of its pool, also with a host in front, and fits mdadm', () => {
    for (const guid of [
      GUID,
      'ffffffff-ffff-4fff-bfff-ffffffffffff',
      '00000000-0000-4000-8000-000000000001',
    ]) {
      expect(arrayName(guid).length).toBeLessThanOrEqual(31);
      expect(guidOfName(arrayName(guid))).toBe(guid);
      expect(guidOfName(`nas:${arrayName(guid)}`)).toBe(guid);
    }
    expect(guidOfName('nas:0')).toBeNull();
    expect(guidOfName('cairn-zzzzzzzzzzzzzzzzzzzzzzzzz')).toBeNull();
  });
});

describe('its source of change', () => {
  it('is a program that it declares, followed once the md driver is there', () => {
    expect(plugin.programs).toContain(plugin.watch.program);
    expect(plugin.watch.needs).toBe('/proc/mdstat');
  });
});

describe('mdadm --examine', () => {
  it('reads the superblocks and leaves partition tables out', () => {
    expect(parseExamine(mdadm('4.2-examine-raid5.txt'))).toEqual([
      {
        path: '/dev/sda1',
        version: '1.2',
        arrayUuid: '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a00',
        name: '3b0c6f2e7f4d4b8a9c0e5a1d2e3f4a5',
        level: 'raid5',
        raidDevices: 4,
        sizeBytes: 774144 * 1024,
        chunkKib: 512,
        bitmap: true,
        slot: 0,
        filling: false,
        replacement: false,
        events: 4,
        places: 'AAAA',
      },
    ]);
  });
  it('knows a stripe, which has no size of its own', () => {
    expect(parseExamine(mdadm('4.2-examine-raid0.txt'))).toMatchObject([
      { level: 'raid0', sizeBytes: null, bitmap: false, slot: 0 },
    ]);
  });
  it('reads what other versions say: sizes without units, a member that replaces another, a reshape', () => {
    expect(parseExamine(mdadm('4.1-examine-raid1.txt'))).toMatchObject([
      {
        ...{ level: 'raid1', name: 'nas:photos', slot: 1, sizeBytes: 3906884608 * 1024, chunkKib: null },
        ...{ bitmap: true, events: 28917, places: 'AA', filling: false },
      },
    ]);
    expect(parseExamine(mdadm('4.3-examine-raid5-replacing.txt'))).toMatchObject([
      { slot: 2, filling: true, replacement: true, places: 'AAR' },
    ]);
    expect(parseExamine(mdadm('4.4-examine-raid6-reshaping.txt'))).toMatchObject([
      { path: '/dev/nvme0n1p1', raidDevices: 5, slot: 4, chunkKib: 1024, filling: false },
    ]);
  });
  it('knows spares and says nothing about other kinds of RAID', () => {
    const text = mdadm('4.2-examine-raid5.txt');
    expect(parseExamine(text.replace('Active device 0', 'spare'))).toMatchObject([{ slot: null }]);
    expect(parseExamine('/dev/sda:\n          Magic : Intel Raid ISM Cfg Sig.\n')).toEqual([]);
    expect(parseExamine('')).toEqual([]);
  });
  it.each([
    ['mdadm: something else', 'belongs to no device'],
    ['/dev/sda:\n  what : ever\n', 'nothing is said'],
    [mdadm('4.2-examine-raid5.txt').replace('Active device 0', 'resting'), 'Device Role'],
    [mdadm('4.2-examine-raid5.txt').replace(/Array UUID.*/, 'Array UUID : none'), 'no UUID'],
    [mdadm('4.2-examine-raid5.txt').replace(/ +Events.*\n/, ''), 'Events'],
  ])('refuses %j', (text, why) => {
    expect(() => parseExamine(text)).toThrow(why);
  });
});

describe('an array in sysfs', () => {
  it('has members by place, and work with its progress', () => {
    expect(array('6.1-raid5-rebuilding')).toMatchObject({
      state: 'clean',
      level: 'raid5',
      raidDisks: 4,
      action: 'recover',
      progress: { done: 82688, total: 516096 },
      kibPerSecond: 8911,
      reshaping: false,
    });
    expect(array('6.1-raid5-rebuilding').members.find(({ name }) => name === 'sde1')).toEqual({
      name: 'sde1',
      slot: 1,
      flags: ['spare'],
      alive: true,
    });
  });
  it('has the new number of places while it is reshaped', () => {
    expect(array('6.1-raid5-reshaping')).toMatchObject({ raidDisks: 5, reshaping: true });
  });
  it('is told apart from one that was only collected, and from a stripe without redundancy', () => {
    expect(array('6.1-raid5-inactive')).toMatchObject({ state: 'inactive', level: null, raidDisks: 0 });
    expect(array('6.1-raid0')).toMatchObject({ action: 'idle', progress: null, kibPerSecond: null });
  });
  it('remembers that a check was stopped', () => {
    expect(lastScrubOf(array('6.1-raid5-check-stopped'))).toMatchObject({ state: 'cancelled', errors: 0 });
    expect(lastScrubOf(array('6.1-raid5-clean'))).toBeUndefined();
  });
  it.each([
    ['array_state', 'dancing'],
    ['sync_action', 'polish'],
    ['sync_completed', 'half'],
    ['raid_disks', 'many'],
    ['sync_speed', 'fast'],
  ])('with %s %s is not understood', (name, value) => {
    expect(() => parseArray(sysfs('6.1-raid5-clean').set(name, value))).toThrow(name);
  });
});

describe('the size of a filesystem', () => {
  it('is read from each tool, and garbage is an error', () => {
    expect(ext4Bytes('Block count:              258048\nBlock size:               4096\n')).toBe(
      258048 * 4096,
    );
    expect(xfsBytes('geom.bsize = 4096\ngeom.datablocks = 102400\n')).toBe(102400 * 4096);
    expect(btrfsBytes('\tdevid    1 size 795869184 used 92274688 path /dev/md127\n')).toBe(795869184);
    for (const parse of [ext4Bytes, xfsBytes, btrfsBytes]) expect(() => parse('nothing')).toThrow();
  });
});

describe('the capacity', () => {
  it.each([
    ['raid0', 4, 4],
    ['raid1', 3, 1],
    ['raid5', 4, 3],
    ['raid6', 4, 2],
    ['raid10', 4, 2],
  ])('of %s over %i equal drives is that of %i', (layout, count, of) => {
    const bytes = usableBytes({ layout, driveSizesBytes: Array<number>(count).fill(4 * TB) });
    expect(bytes / (of * 4 * TB)).toBeGreaterThan(0.997);
    expect(bytes).toBeLessThan(of * 4 * TB);
  });
  it('is the smallest drive’s for each, and nothing for no drives', () => {
    const [small, mixed] = [
      [1, 1, 1],
      [1, 2, 4],
    ].map((sizes) => usableBytes({ layout: 'raid5', driveSizesBytes: sizes.map((size) => size * TB) }));
    expect(mixed).toBe(small);
    expect(usableBytes({ layout: 'raid5', driveSizesBytes: [] })).toBe(0);
  });
  it('of drives of about one size is the same, so that one can take the place of another', () => {
    const [one, other] = [4_000_787_030_016, 4_000_785_948_160];
    expect(partitionBytes(other)).toBe(partitionBytes(one));
    for (const size of [336 * MIB, 20 * GIB, one]) {
      expect(partitionBytes(smallestAlike(size))).toBe(partitionBytes(size));
      expect(partitionBytes(smallestAlike(size) - 1)).toBeLessThan(partitionBytes(size));
    }
  });
});

describe('the plans', () => {
  const layouts: [string, number][] = [
    ['raid0', 2],
    ['raid1', 2],
    ['raid5', 3],
    ['raid6', 4],
    ['raid10', 4],
  ];
  it.each(layouts)('of %s touch the pool’s own drives only, and name each step once', (layout, count) => {
    for (const filesystem of ['ext4', 'xfs', 'btrfs']) {
      const pool = spec(layout, count, { filesystem });
      for (const steps of [
        plugin.create(pool),
        plugin.destroy(pool),
        plugin.mount(pool),
        plugin.unmount(pool),
        plugin.release(pool),
        plugin.rename(pool, 'new'),
        plugin.startScrub(pool),
        plugin.stopScrub(pool),
        plugin.reAdd(pool, { drive: pool.drives[1] as PoolDrive }),
        plugin.removeDrive(pool, { drive: pool.drives[1] as PoolDrive }),
      ])
        expect(checkPlan(plugin, pool, steps)).toBe(steps);
      const added = [drive(count), drive(count + 1)];
      const larger = { ...pool, drives: [...pool.drives, ...added] };
      checkPlan(plugin, larger, plugin.expand(pool, { added }));
      checkPlan(
        plugin,
        larger,
        plugin.replace(pool, { old: drive(0), fresh: drive(0, { id: `drive-${count}` }) }),
      );
      checkPlan(plugin, larger, plugin.addDrive(pool, { drive: drive(count, { role: 'spare' }) }));
    }
  });

  it('tell mdadm the UUID and the name, begin raid5 with all members, and assume nothing', () => {
    const argv = argvOf(plugin.create(spec('raid5', 3)), 'create-array');
    expect(argv).toEqual([
      ...['--create', `/dev/md/${arrayName(GUID)}`, '--run', '--force', '--metadata=1.2', '--level=5'],
      ...['--raid-devices=3', '--chunk=512', '--bitmap=internal', '--homehost=any'],
      ...[`--name=${arrayName(GUID)}`, `--uuid=${ARRAY}`],
      ...[0, 1, 2].map((slot) => ({ drive: `drive-${slot}`, partition: 1 })),
    ]);
    expect(JSON.stringify(plugin.create(spec()))).not.toContain('assume-clean');
  });
  it('give a mirror no chunk and a stripe no bitmap', () => {
    expect(argvOf(plugin.create(spec('raid1', 2)), 'create-array').join(' ')).not.toContain('--chunk');
    expect(argvOf(plugin.create(spec('raid0', 2)), 'create-array').join(' ')).not.toContain('--bitmap');
    expect(argvOf(plugin.create(spec('raid6', 4, { bitmap: false })), 'create-array')).toContain(
      '--bitmap=none',
    );
  });
  it('put the filesystem on the array, with the pool’s GUID', () => {
    const steps = plugin.create(spec());
    expect(argvOf(steps, 'make-filesystem')).toEqual(expect.arrayContaining([GUID, { array: ARRAY }]));
    expect(steps.find((step) => step.name === 'mount')?.run).toMatchObject({ source: { array: ARRAY } });
  });
  it('take back the array member by member', () => {
    const undo = plugin.create(spec('raid5', 3)).find((step) => step.name === 'create-array')?.undo;
    expect(Array.isArray(undo) && undo.map((action) => (action.do === 'exec' ? action.argv[0] : ''))).toEqual(
      ['--stop', ...Array<string>(3).fill('--zero-superblock')],
    );
  });
  it('leave a missing drive out', () => {
    const degraded = spec('raid5', 3);
    degraded.drives[1] = drive(1, { present: false });
    expect(argvOf(plugin.mount(degraded), 'start-array').filter((word) => typeof word === 'object')).toEqual([
      { drive: 'drive-0', partition: 1 },
      { drive: 'drive-2', partition: 1 },
    ]);
    expect(new Set(plugin.destroy(degraded).flatMap((step) => step.destroys ?? []))).toEqual(
      new Set(['drive-0', 'drive-2']),
    );
  });
  it('copy a member that still works, and rebuild one that does not', () => {
    const pool = spec('raid5', 3);
    const fresh = drive(1, { id: 'drive-9' });
    const working = plugin.replace(pool, { old: drive(1), fresh });
    expect(argvOf(working, 'start-replacement')).toContain('--replace');
    expect(names(working)).toContain('erase-superblock-1');
    const gone = plugin.replace(pool, { old: drive(1, { present: false }), fresh });
    expect(names(gone)).not.toContain('start-replacement');
    expect(names(gone)).not.toContain('remove-old-member');
  });
  it('can be taken back until a new member is filled, at once and with nothing left on it, and not from then on', () => {
    const pool = spec('raid5', 3);
    const fresh = drive(1, { id: 'drive-9' });
    const at = { drive: 'drive-9', partition: 1 };
    const out = [
      ['--manage', { array: ARRAY }, '--fail', at, '--remove', at],
      ['--zero-superblock', at],
    ];
    for (const present of [true, false]) {
      const steps = plugin.replace(pool, { old: drive(1, { present }), fresh });
      for (const step of steps.filter(({ name }) => ['add-member-1', 'start-replacement'].includes(name)))
        expect(
          Array.isArray(step.undo) && step.undo.map((action) => 'argv' in action && action.argv),
        ).toEqual(out);
      // Waiting has no way back of its own, so nothing waits for the kernel on the way back.
      expect(steps.find(({ name }) => name === 'rebuild')).toMatchObject({
        ...{ run: { do: 'wait' }, undo: 'impossible' },
      });
    }
  });
  it('grow the filesystem after the reshape, and not for one more mirror', () => {
    const grown = names(plugin.expand(spec('raid5', 3), { added: [drive(3)] }));
    expect(grown.slice(grown.indexOf('grow-array'))).toEqual([
      'grow-array',
      'wait-for-reshape',
      'grow-filesystem',
      'make-identity-folder',
      'update-identity',
    ]);
    expect(names(plugin.expand(spec('raid1', 2), { added: [drive(2)] }))).not.toContain('grow-filesystem');
  });
  it('look into a running array as it is, and start one that was let go of read-only for the moment', () => {
    const partitions = { 'drive-0': 1, 'drive-1': 1, 'drive-2': 1 };
    const found = (running: boolean): PoolSpec => ({
      ...spec('raid5', 3),
      // What lies on an array that does not run nobody can see.
      options: running ? { filesystem: 'ext4' } : {},
      facts: { arrayUuid: ARRAY, partitions, running },
    });
    const shown = plugin.peek(found(true));
    expect(names([...shown.open, ...shown.close])).toEqual(['mount-read-only', 'unmount']);
    expect(shown.open[0]?.run).toMatchObject({
      filesystem: 'ext4',
      options: expect.arrayContaining(['noload']),
    });
    const stopped = plugin.peek(found(false));
    expect(names(stopped.open)).toEqual(['start-array-read-only', 'mount-read-only']);
    expect(argvOf(stopped.open, 'start-array-read-only')).toContain('--readonly');
    expect(stopped.open[1]?.run).toMatchObject({ filesystem: 'auto' });
    expect(names(stopped.close)).toEqual(['unmount', 'stop-array']);
  });
  it('are of the array that the UUID names, whatever a shell has called it', () => {
    expect(plugin.keyOf(spec())).toBe(ARRAY);
    const facts = { arrayUuid: '11111111-2222-3333-4444-555555555555' };
    expect(plugin.keyOf({ ...spec(), facts })).toBe(facts.arrayUuid);
  });
  it('use the array and the places of a pool that was found', () => {
    const found: PoolSpec = {
      ...spec('raid1', 2),
      facts: {
        arrayUuid: '11111111-2222-3333-4444-555555555555',
        partitions: { 'drive-0': 0, 'drive-1': 3 },
      },
    };
    expect(argvOf(plugin.mount(found), 'start-array')).toEqual(
      expect.arrayContaining([
        '--uuid=11111111-2222-3333-4444-555555555555',
        { drive: 'drive-0' },
        { drive: 'drive-1', partition: 3 },
      ]),
    );
    expect(names(plugin.destroy(found)).some((name) => name.startsWith('erase-partition-table'))).toBe(false);
  });
});

describe('the status', () => {
  const kernelNames = ['sda1', 'sdb1', 'sdc1', 'sdd1', 'sde1'];
  const superblockAt = (path: string): string =>
    mdadm('4.2-examine-raid0.txt')
      .replace('/dev/sda1:', `${path}:`)
      .replace(
        '3b0c6f2e:7f4d4b8a:9c0e5a1d:2e3f4a01',
        ARRAY.replaceAll('-', '').replace(/(.{8})(?!$)/g, '$1:'),
      )
      .replace('Active device 0', `Active device ${kernelNames.indexOf(path.slice('/dev/'.length))}`)
      .replace('Array State : AA', 'Array State : AAAA')
      .replace('Events : 0', path.endsWith(stale) ? 'Events : 4' : 'Events : 21')
      .replace(/^ +State : clean/m, path.endsWith(filling) ? 'Recovery Offset : 8 sectors\n$&' : '$&');
  let stale = 'none';
  let filling = 'none';
  /** Drive n of the pool is the n-th of `at`. */
  function context(at: (string | null)[], mounted = true): PluginContext {
    const idOf = (name: string): string | null => {
      const index = at.indexOf(name);
      return index < 0 ? null : `drive-${index}`;
    };
    return {
      // mdadm --examine, of members that all agree.
      read: (_program, argv) =>
        Promise.resolve({
          stdout: argv.slice(1).map(superblockAt).join(''),
          stderr: '',
          exitCode: 0,
        }),
      path: (ref) => {
        if ('array' in ref) return ref.array === ARRAY ? '/dev/md127' : null;
        const name = 'drive' in ref ? at[Number(ref.drive.split('-')[1])] : null;
        return name ? `/dev/${name}` : null;
      },
      drives: () => [],
      driveIdOf: (path) => idOf(path.replace('/dev/', '')),
      hasFilesystem: () => true,
      probe: () => Promise.resolve({ type: 'linux_raid_member', uuid: ARRAY, label: 'x' }),
      mounts: () =>
        mounted
          ? [
              {
                path: '/mnt/tank',
                source: '/dev/md127',
                filesystem: 'ext4',
                majorMinor: '9:127',
                readOnly: false,
              },
            ]
          : [],
      usage: () => Promise.resolve({ sizeBytes: 3, usedBytes: 1, availableBytes: 2 }),
      signal: new AbortController().signal,
      log: () => undefined,
    };
  }
  const read = (of: PoolSpec, at: (string | null)[], name: string | null, mounted = true) =>
    status(context(at, mounted), of, {
      derivedUuid,
      array: () => Promise.resolve(name === null ? null : array(name)),
      examine: parseExamine,
    });
  const all = kernelNames.slice(0, 4);

  it('is healthy when all members agree', async () => {
    expect(await read(spec(), all, '6.1-raid5-clean')).toMatchObject({
      poolStatus: 'active',
      health: 'healthy',
      mounted: true,
      usedBytes: 1,
      work: [],
    });
    expect(await read(spec(), all, '6.1-raid5-clean', false)).toMatchObject({ poolStatus: 'inactive' });
  });
  it('is degraded as soon as a drive is gone, before md itself has noticed', async () => {
    const reading = await read(spec(), ['sda1', null, 'sdc1', 'sdd1'], '6.1-raid5-clean');
    expect(reading).toMatchObject({ poolStatus: 'degraded', health: 'critical' });
    expect(reading.healthText).toContain('SER1');
    expect(reading.members[1]).toMatchObject({ driveId: 'drive-1', status: 'missing' });
    const later = await read(spec(), ['sda1', null, 'sdc1', 'sdd1'], '6.1-raid5-just-pulled');
    expect(later).toMatchObject({ poolStatus: 'degraded', health: 'critical' });
  });
  it('names members by their drives when the kernel’s names have changed', async () => {
    const reading = await read(spec(), ['sdd1', 'sdc1', 'sda1', null], '6.1-raid5-just-pulled');
    expect(reading.members.map((member) => member.status)).toEqual(['active', 'active', 'active', 'missing']);
    expect(reading.healthText).toContain('SER3');
  });
  it('shows the drive that is being filled, how far it is and how long it takes', async () => {
    const reading = await read(spec(), ['sda1', 'sde1', 'sdc1', 'sdd1'], '6.1-raid5-rebuilding');
    expect(reading.members[1]).toMatchObject({ status: 'rebuilding' });
    expect(reading).toMatchObject({ poolStatus: 'degraded', health: 'warning' });
    expect(reading.work).toEqual([
      {
        kind: 'rebuild',
        title: 'Rebuilding onto drive SER1',
        percent: expect.closeTo(16.02, 1) as number,
        bytesPerSecond: 8911 * 1024,
        secondsLeft: 24,
        paused: false,
      },
    ]);
  });
  it('stays whole while a member is copied onto another', async () => {
    const reading = await read(spec(), ['sda1', 'sde1', 'sdc1', 'sdd1'], '6.1-raid5-replacing');
    expect(reading).toMatchObject({ poolStatus: 'active', health: 'healthy' });
    expect(reading.members[1]).toMatchObject({ status: 'active', detail: 'is being replaced' });
  });
  it('tells a drive that the array has failed from one that is gone', async () => {
    const reading = await read(spec('raid1', 2), ['sda1', 'sdc1'], '6.1-raid1-failed-member');
    expect(reading.members[1]).toMatchObject({ status: 'faulty', detail: 'failed in the array' });
    expect(reading.poolStatus).toBe('degraded');
  });
  it('has failed when more is gone than the layout survives', async () => {
    const reading = await read(spec(), ['sda1', null, null, 'sdd1'], '6.1-raid5-clean');
    expect(reading).toMatchObject({ poolStatus: 'failed', health: 'critical' });
  });
  it('reads what the drives carry when the array does not run', async () => {
    expect(await read(spec(), all, null)).toMatchObject({ poolStatus: 'inactive', mounted: false });
    const inactive = await read(spec(), ['sda1', 'sdb1', 'sdc1', null], '6.1-raid5-inactive');
    expect(inactive).toMatchObject({ poolStatus: 'degraded', mounted: false });
    expect(inactive.healthText).toContain('SER3');
    expect(await read(spec(), [null, null, 'sdc1', 'sdd1'], null)).toMatchObject({ poolStatus: 'missing' });
  });
  it('knows in a stopped array which member was away while the others went on', async () => {
    stale = 'sdb1';
    const reading = await read(spec(), all, null);
    stale = 'none';
    expect(reading.poolStatus).toBe('degraded');
    expect(reading.members[1]).toMatchObject({
      status: 'faulty',
      detail: 'was away while the others went on',
    });
  });
  it('refuses changes that do not fit, in words', async () => {
    const healthy = await read(spec(), all, '6.1-raid5-clean');
    expect(plugin.refusal('expand', spec(), healthy)).toBeNull();
    expect(plugin.refusal('expand', spec('raid0', 2), healthy)).toContain('stripe');
    expect(plugin.refusal('remove-drive', spec(), healthy)).toContain('Only mirrors');
    expect(plugin.refusal('re-add', spec(), healthy)).toBe('No member is missing.');
    const busy = await read(spec(), ['sda1', 'sde1', 'sdc1', 'sdd1'], '6.1-raid5-rebuilding');
    expect(plugin.refusal('start-scrub', spec(), busy)).toContain('Rebuilding onto drive SER1');
    expect(plugin.refusal('expand', spec(), null)).toContain('Mount the pool first');
    const spare = drive(4, { role: 'spare' });
    const pool = { ...spec(), drives: [...spec().drives, spare] };
    expect(plugin.refusal('remove-drive', pool, healthy)).toBeNull();
    expect(plugin.refusal('remove-drive', pool, healthy, spare)).toBeNull();
    expect(plugin.refusal('remove-drive', pool, healthy, drive(0))).toContain('Only mirrors');
  });
  it('says that a spare has stepped in for a drive that is gone, and takes that drive back as the spare', async () => {
    const pool = { ...spec(), drives: [...spec().drives, drive(4, { role: 'spare' })] };
    const whole = ['sda1', null, 'sdc1', 'sdd1', 'sdb1'];
    const reading = await read(pool, whole, '6.1-raid5-clean');
    expect(reading).toMatchObject({ poolStatus: 'active', health: 'warning' });
    expect(reading.healthText).toContain('Drive SER1 is missing; a spare has taken the place');
    const back = await read(pool, ['sda1', 'sdx1', 'sdc1', 'sdd1', 'sdb1'], '6.1-raid5-clean');
    expect(back.members[1]).toMatchObject({ status: 'faulty' });
    expect(plugin.refusal('re-add', pool, back)).toBeNull();
  });
  it('knows in a stopped array that a member was not filled to its end', async () => {
    filling = 'sdb1';
    const reading = await read(spec(), all, null);
    filling = 'none';
    expect(reading).toMatchObject({ poolStatus: 'degraded', health: 'warning' });
    expect(reading.healthText).toContain('Drive SER1 is not filled yet');
    expect(reading.members[1]).toMatchObject({ status: 'rebuilding' });
  });
});
