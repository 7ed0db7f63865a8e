import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { Step } from '$lib/plugin-api/plan';
import { derivedUuid } from '$lib/plugin-api/steps';
import type { PluginContext, PoolDrive, PoolSpec } from '$lib/plugin-api/storage';
import makePlugin from '$plugins/zfs/plugin.server';
import { mirrorsOf, usableBytes } from '$plugins/zfs/layout';
import { parseImportable } from '$plugins/zfs/parse-import';
import { parseDatasets, parseLabel, parsePools, parseSnapshots, parseSpace } from '$plugins/zfs/parse-list';
import { bytesOf, parseScan } from '$plugins/zfs/parse-scan';
import { leavesOf, parseStatus } from '$plugins/zfs/parse-status';
import { listedName, placesOf } from '$plugins/zfs/plan-snapshots';

const fixture = (name: string): string => readFileSync(`test/fixtures/zfs/${name}`, 'utf8');
const GIB = 1024 ** 3;
const GUID = '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a5b';
const POOL = `cairn-${GUID}`;
const plugin = makePlugin(sdk);

const driveOf = (slot: number, more: Partial<PoolDrive> = {}): PoolDrive => ({
  id: `drive-${slot}`,
  serial: `SER${slot}`,
  label: `bay ${slot}`,
  sizeBytes: GIB,
  slot,
  contentHash: 'blank',
  partitions: [],
  present: true,
  ...more,
});
const spec = (layout = 'mirror', count = 2): PoolSpec => ({
  guid: GUID,
  label: 'Tänk 1',
  layout,
  options: { compression: 'zstd', recordsize: '1M', ashift: '12' },
  mountPath: '/mnt/tank',
  mountPathExisted: false,
  drives: Array.from({ length: count }, (_, slot) => driveOf(slot)),
});
const pathOf = (slot: number): string =>
  `/dev/disk/by-partuuid/${derivedUuid(GUID, `zfs-partition-drive-${slot}`)}`;
const stepOf = (steps: Step[], name: string): Step => {
  const step = steps.find((candidate) => candidate.name === name);
  if (!step) throw new Error(`no step ${name} in ${steps.map((one) => one.name).join(' ')}`);
  return step;
};
const argvOf = (steps: Step[], name: string): unknown[] => {
  const { run } = stepOf(steps, name);
  return run.do === 'exec' ? run.argv : [];
};

describe('zpool status', () => {
  it('names every device with its role, also a log, a cache and a spare', () => {
    const pool = parseStatus(fixture('status-2.1-raidz1-all-roles.txt'));
    expect(pool).toMatchObject({ name: POOL, state: 'ONLINE', scan: null, dataErrors: 0 });
    expect(leavesOf(pool.vdevs).map(({ leaf, above }) => [leaf.section, leaf.state, above[0]?.name])).toEqual(
      [
        ['data', 'ONLINE', 'raidz1-0'],
        ['data', 'ONLINE', 'raidz1-0'],
        ['data', 'ONLINE', 'raidz1-0'],
        ['logs', 'ONLINE', undefined],
        ['cache', 'ONLINE', undefined],
        ['spares', 'AVAIL', undefined],
      ],
    );
  });
  it('knows where a device was that is gone', () => {
    const leaves = leavesOf(parseStatus(fixture('status-2.1-unavail.txt')).vdevs);
    expect(leaves[2]?.leaf).toMatchObject({
      name: '8258518798210334295',
      state: 'UNAVAIL',
      path: '/dev/disk/by-partuuid/9861ef19-6551-43c6-9d8e-9e99f3e03716',
    });
  });
  it('puts a drive that is being rebuilt below the one that it replaces', () => {
    const pool = parseStatus(fixture('status-2.1-replacing.txt'));
    const building = leavesOf(pool.vdevs).find(({ leaf }) => leaf.note === '(resilvering)');
    expect(building?.above.map((vdev) => vdev.name)).toEqual(['raidz1-0', 'replacing-1']);
    expect(pool.scan).toMatchObject({ kind: 'resilver', state: 'running', percent: 2.02, secondsLeft: null });
  });
  it('says that a pool is suspended, and counts what is damaged', () => {
    const pool = parseStatus(fixture('status-2.1-suspended.txt').replace(/^errors: List.*\n/, ''));
    expect(pool).toMatchObject({ state: 'SUSPENDED', dataErrors: 4 });
  });
  it('counts errors of a device, and what a scrub has mended', () => {
    const pool = parseStatus(fixture('status-2.1-scrub-repaired.txt'));
    expect(leavesOf(pool.vdevs).map(({ leaf }) => leaf.errors)).toEqual([373, 0, 6, 0, 0]);
    expect(pool.scan).toMatchObject({ kind: 'scrub', state: 'finished', bytes: bytesOf('19.8M'), errors: 0 });
  });
  it.each(['', 'garbage', 'no pools available', ` pool: x\n state: FINE\nconfig:\n\n`])(
    'refuses %j',
    (text) => expect(() => parseStatus(text)).toThrow(),
  );
  it('refuses a device in a state that it does not know', () => {
    const text = fixture('status-2.1-onlined.txt').replace(/f5e5 +ONLINE|3716 +ONLINE/, '3716  SLEEPING');
    expect(() => parseStatus(text)).toThrow('SLEEPING');
  });
});

describe('newer versions of zpool status', () => {
  it('2.2: a resilver tells the part and the whole, and a device is replaced', () => {
    const pool = parseStatus(fixture('status-2.2-resilvering.txt'));
    expect(pool.scan).toMatchObject({
      kind: 'resilver',
      state: 'running',
      percent: 81.21,
      bytesPerSecond: 129 * 1024 ** 2,
      secondsLeft: 7 * 3_600 + 21 * 60 + 15,
    });
    const leaves = leavesOf(pool.vdevs);
    expect(leaves.map(({ leaf, above }) => [leaf.state, leaf.errors, above.at(-1)?.name])).toEqual([
      ['ONLINE', 0, 'raidz2-0'],
      ['UNAVAIL', 0, 'replacing-1'],
      ['ONLINE', 0, 'replacing-1'],
      ['ONLINE', 1720, 'raidz2-0'],
      ['ONLINE', 0, 'raidz2-0'],
    ]);
  });
  it('2.3: a raidz that was expanded, a device with too many errors, files that are lost', () => {
    const pool = parseStatus(fixture('status-2.3-expanded.txt'));
    expect(pool).toMatchObject({ state: 'DEGRADED', dataErrors: 1, scan: { kind: 'scrub', percent: 46.64 } });
    expect(leavesOf(pool.vdevs).map(({ leaf }) => [leaf.state, leaf.note])).toEqual([
      ['ONLINE', '(repairing)'],
      ['DEGRADED', 'too many errors  (repairing)'],
      ['ONLINE', 'block size: 512B configured, 4096B native'],
      ['ONLINE', null],
    ]);
  });
});

describe('the scan line', () => {
  it.each([
    [
      'scrubbing',
      { kind: 'scrub', state: 'running', percent: 13.56, secondsLeft: 6, bytesPerSecond: 13_107_200 },
    ],
    ['scrub-paused', { kind: 'scrub', state: 'paused', percent: 99.36 }],
    ['scrub-cancelled', { kind: 'scrub', state: 'cancelled' }],
    ['scrubbed', { kind: 'scrub', state: 'finished', errors: 0, bytes: 0 }],
    ['spare-inuse', { kind: 'resilver', state: 'finished', errors: 0 }],
  ])('of %s', (name, wanted) => {
    expect(parseStatus(fixture(`status-2.1-${name}.txt`)).scan).toMatchObject(wanted);
  });
  it('of 2.2 tells the part and the whole', () => {
    const lines = [
      'scrub in progress since Sat Nov 21 13:58:02 2026',
      '1.17T / 1.17T scanned at 3.92G/s, 250G / 1.17T issued at 837M/s',
      '0B repaired, 20.89% done, 1 days 00:19:20 to go',
    ];
    expect(parseScan(lines)).toMatchObject({
      percent: 20.89,
      bytesPerSecond: 837 * 1024 ** 2,
      secondsLeft: 86_400 + 1_160,
    });
  });
  it('that is not understood is an error', () => {
    expect(() => parseScan(['scrub went for a walk'])).toThrow();
    expect(() => bytesOf('12 parsecs')).toThrow();
  });
});

describe('zpool import', () => {
  it('lists a pool with its comment and the device that is missing', () => {
    const [pool] = parseImportable(fixture('import-2.1-degraded.txt'));
    expect(pool).toMatchObject({
      name: POOL,
      guid: '3582983471481893691',
      state: 'DEGRADED',
      comment: 'tank',
    });
    expect(pool?.devices.map(({ section, state, above }) => [section, state, above])).toEqual([
      ['data', 'ONLINE', 'raidz1-0'],
      ['data', 'ONLINE', 'raidz1-0'],
      ['data', 'UNAVAIL', 'raidz1-0'],
      ['cache', null, null],
      ['logs', 'ONLINE', null],
    ]);
  });
  it('tells two pools apart, and none from an answer that is not understood', () => {
    const one = fixture('import-2.1-degraded.txt');
    expect(parseImportable(`${one}\n${one}`)).toHaveLength(2);
    expect(parseImportable('no pools available to import\n')).toEqual([]);
    expect(() => parseImportable('something else')).toThrow();
  });
});

describe('tables and labels', () => {
  it('are read exactly', () => {
    expect(parsePools(`${POOL}\t12918412023971374162\tSUSPENDED\n`)).toEqual([
      { name: POOL, guid: '12918412023971374162', health: 'SUSPENDED' },
    ]);
    expect(parseSpace('63038624\t293707264\n')).toEqual({ usedBytes: 63038624, availableBytes: 293707264 });
    expect(parseSnapshots('p/data@a b\t1763733482\t8192\n')).toEqual([
      { dataset: 'p/data', name: 'a b', createdAt: 1763733482000, usedBytes: 8192 },
    ]);
    expect(
      parseDatasets(
        [
          'Dataset mos [META], ID 0, cr_txg 4, 116K, 60 objects',
          'Dataset attic/films@may [ZPL], ID 77, cr_txg 30, 24K, 6 objects',
          'Dataset attic/films [ZPL], ID 387, cr_txg 9, 24K, 6 objects',
          'Dataset attic/disk 1 [ZVOL], ID 390, cr_txg 12, 12K, 2 objects',
          'Dataset attic [ZPL], ID 54, cr_txg 1, 24K, 7 objects',
          'Verified large_blocks feature refcount of 0 is correct',
        ].join('\n'),
      ),
    ).toEqual(['attic/films', 'attic/disk 1', 'attic']);
    expect(parseLabel(fixture('zdb-2.1-member.txt'))).toEqual({ pool: POOL, guid: '145237275991156349' });
  });
  it('that are not understood are errors', () => {
    expect(() => parsePools('one column')).toThrow();
    expect(() => parsePools('p\t1\tHAPPY')).toThrow();
    expect(() => parseSpace('12\tmany')).toThrow();
    expect(() => parseSpace('')).toThrow();
    expect(() => parseSnapshots('p/data\t1\t2')).toThrow();
    expect(() => parseLabel('failed to unpack label 0')).toThrow();
    expect(() => parseDatasets("zdb: can't open 'attic': No such file or directory")).toThrow();
  });
});

describe('layouts', () => {
  it('pair drives, the odd one out makes a triple', () => {
    expect(mirrorsOf([1, 2, 3, 4, 5])).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    expect(plugin.layouts.map((one) => one.tolerance(one.minDrives))).toEqual([0, 1, 1, 2, 3]);
    const mirror = plugin.layouts.find((one) => one.id === 'mirror');
    expect([2, 3, 4, 5].map((count) => mirror?.tolerance(count))).toEqual([1, 2, 1, 1]);
  });
  it.each([
    ['stripe', [10, 20], 29],
    ['mirror', [10, 20], 9.7],
    ['mirror', [10, 10, 20, 20], 29],
    ['raidz1', [10, 10, 10], 19.3],
    ['raidz2', [10, 10, 10, 10], 18.7],
    ['raidz3', [10, 10, 10, 10, 10, 10], 27.3],
    ['raidz1', [10, 10], 0],
  ])('%s of %j GiB holds about %d GiB', (layout, sizes, wanted) => {
    const driveSizesBytes = sizes.map((size) => size * GIB);
    const gib = usableBytes({ layout, options: { ashift: '12' }, driveSizesBytes }) / GIB;
    expect(Math.abs(gib - wanted)).toBeLessThan(0.7);
  });
});

describe('the plans', () => {
  it('name the pool by its GUID and its drives by partitions that have the same name everywhere', () => {
    const argv = argvOf(plugin.create(spec('raidz1', 3)), 'make-pool');
    expect(argv.slice(argv.indexOf('--'))).toEqual(['--', POOL, 'raidz1', pathOf(0), pathOf(1), pathOf(2)]);
    expect(argv).toContain('comment=Tank_1');
    expect(argv).toContain('cachefile=none');
    expect(argv).toContain(`cairn:guid=${GUID}`);
  });
  it('put spare, cache and log where they belong, two logs as a mirror', () => {
    const of = spec('mirror', 2);
    of.drives.push(driveOf(2, { role: 'log' }), driveOf(3, { role: 'log' }));
    of.drives.push(driveOf(4, { role: 'cache' }), driveOf(5, { role: 'spare' }));
    const argv = argvOf(plugin.create(of), 'make-pool');
    expect(argv.slice(argv.indexOf(POOL) + 1)).toEqual([
      ...['mirror', pathOf(0), pathOf(1), 'log', 'mirror', pathOf(2), pathOf(3)],
      ...['cache', pathOf(4), 'spare', pathOf(5)],
    ]);
  });
  it('have steps of different names', () => {
    const of = spec('mirror', 4);
    const all = [
      plugin.create(of),
      plugin.destroy(of),
      plugin.replace(of, { old: driveOf(0), fresh: driveOf(7, { slot: 0 }) }),
      plugin.replace(of, { old: driveOf(0, { role: 'spare' }), fresh: driveOf(7, { slot: 0 }) }),
      plugin.expand(of, { added: [driveOf(4), driveOf(5)] }),
      plugin.snapshots.rollBack(of, { name: 'a', keepAs: 'b' }),
      plugin.snapshots.destroy(of, { name: 'a' }),
    ];
    for (const steps of all) expect(new Set(steps.map((step) => step.name)).size).toBe(steps.length);
  });
  it('never force an import', () => {
    for (const steps of [plugin.mount(spec()), plugin.release(spec())])
      for (const step of steps)
        for (const action of [step.run, ...(Array.isArray(step.undo) ? step.undo : [])])
          if (action.do === 'exec' && action.argv[0] === 'import') {
            expect(action.argv).not.toContain('-f');
            expect(action.argv).toContain('-N');
          }
  });
  it('leave a drive that is not there alone', () => {
    const of = spec();
    if (of.drives[1]) of.drives[1].present = false;
    expect(plugin.destroy(of).flatMap((step) => step.destroys ?? [])).not.toContain('drive-1');
    const replace = plugin.replace(of, {
      old: driveOf(1, { present: false }),
      fresh: driveOf(2, { slot: 1 }),
    });
    expect(replace.flatMap((step) => step.destroys ?? [])).not.toContain('drive-1');
    expect(argvOf(replace, 'replace-drive').slice(-2)).toEqual([pathOf(1), pathOf(2)]);
  });
  it('grow a pool by what it is made of', () => {
    const added = [driveOf(2), driveOf(3)];
    const argv = argvOf(plugin.expand(spec(), { added }), 'add-drives');
    expect(argv.slice(argv.indexOf(POOL) + 1)).toEqual(['mirror', pathOf(2), pathOf(3)]);
    expect(argvOf(plugin.expand(spec(), { added: [driveOf(2)] }), 'attach-drive').slice(-2)).toEqual([
      pathOf(1),
      pathOf(2),
    ]);
    expect(() => plugin.expand(spec('raidz1', 3), { added })).toThrow('3 drives');
  });
  it('carry a new label to the comment, not to the name', () => {
    const steps = plugin.rename(spec(), 'media');
    expect(argvOf(steps, 'set-comment')).toEqual(['set', 'comment=media', POOL]);
  });
  it('say why a verb does not fit', () => {
    const reading = { poolStatus: 'active', mounted: true, work: [] } as never;
    expect(plugin.refusal('remove-drive', spec('raidz1', 3), reading)).toContain('raidz');
    expect(plugin.refusal('remove-drive', spec(), reading)).toBeNull();
    expect(plugin.refusal('stop-scrub', spec(), reading)).not.toBeNull();
    expect(plugin.refusal('expand', spec(), { poolStatus: 'failed' } as never)).toContain('suspended');
    expect(plugin.refusal('re-add', spec(), { poolStatus: 'failed' } as never)).toBeNull();
  });
});

describe('a pool of another system', () => {
  const place = (slot: number) => ({ path: `/dev/disk/by-partuuid/found-${slot}`, partition: slot + 1 });
  const attic: PoolSpec = {
    ...spec(),
    facts: { name: 'attic', guid: '42', devices: { 'drive-0': place(0), 'drive-1': place(1) } },
  };
  it('is imported by its number, and its first dataset is mounted with its properties as they are', () => {
    const steps = plugin.mount(attic);
    expect(argvOf(steps, 'import-pool').slice(-2)).toEqual(['--', '42']);
    expect(stepOf(steps, 'mount').run).toMatchObject({
      source: { source: 'attic' },
      filesystem: 'zfs',
      options: expect.arrayContaining(['zfsutil', 'nodev']) as string[],
    });
  });
  it('is looked into with nothing written, and let go of again', () => {
    const { open, close } = plugin.peek(attic);
    expect(argvOf(open, 'import-read-only')).toEqual(expect.arrayContaining(['readonly=on', '-N']));
    expect(stepOf(open, 'mount-read-only').run).toMatchObject({
      options: expect.arrayContaining(['ro']) as string[],
    });
    expect(close.map(({ name }) => name)).toEqual(['unmount', 'export-again']);
  });
  it('keeps its partition tables when it is destroyed, and names its drives as they were found', () => {
    const steps = plugin.destroy(attic);
    expect(stepOf(steps, 'clear-labels-1').run).toMatchObject({
      argv: expect.arrayContaining([{ drive: 'drive-1', partition: 2 }]) as string[],
    });
    expect(steps.some(({ name }) => name.startsWith('erase-partition-table'))).toBe(false);
    const replace = plugin.replace(attic, { old: driveOf(1), fresh: driveOf(2, { slot: 1 }) });
    expect(argvOf(replace, 'replace-drive').slice(-2)).toEqual([place(1).path, pathOf(2)]);
  });
});

describe('snapshots', () => {
  it('are found under the names that they are listed with', () => {
    for (const [dataset, name] of [
      ['data', 'a'],
      ['kept-k', 'k'],
      ['kept-k', 's2'],
    ] as const) {
      const listed = listedName(POOL, `${POOL}/${dataset}`, name);
      const places = placesOf(POOL, listed ?? '').map((place) => place.snapshot);
      expect(places).toContain(`${POOL}/${dataset}@${name}`);
    }
    expect(listedName(POOL, POOL, 'a')).toBeNull();
  });
  it.each(['', '-r', 'a@b', 'a/b/c', 'a b;c', '../x'])('are never called %j', (name) => {
    expect(() => plugin.snapshots.create(spec(), { name })).toThrow();
  });
});

/** What programs say, by the words of their call. */
function contextOf(answers: Record<string, string>, gone: string[] = []): PluginContext {
  return {
    read: (program: string, argv: string[]) => {
      const call = [program.split('/').pop(), ...argv].join(' ');
      const key = Object.keys(answers).find((words) => call.startsWith(words));
      if (key === undefined) throw new Error(`nobody asked for ${call}`);
      return Promise.resolve({ stdout: answers[key] ?? '', stderr: '', exitCode: 0 });
    },
    path: ({ drive }: { drive: string }) => (gone.includes(drive) ? null : `/dev/${drive}`),
    mounts: () => [{ path: '/mnt/tank', source: `${POOL}/data`, filesystem: 'zfs' }],
  } as unknown as PluginContext;
}
/** A recorded status whose devices are those of the spec, in their order. */
function recorded(name: string): string {
  let slot = -1;
  const known = new Map<string, string>();
  return fixture(name)
    .replace(/^errors: List.*\n/, '')
    .replace(/\/dev\/disk\/by-partuuid\/\S+/g, (path) => {
      if (!known.has(path)) known.set(path, pathOf((slot += 1)));
      return known.get(path) ?? '';
    });
}
const listed = (health: string): string => `${POOL}\t1\t${health}\n`;
const SPACE = { 'zfs list': '100\t300\n' };

describe('the status', () => {
  it('of a pool with a drive that was pulled is degraded and names its serial', async () => {
    const context = contextOf(
      {
        'zpool list': listed('DEGRADED'),
        'zpool status': recorded('status-2.1-removed.txt'),
        ...SPACE,
      },
      ['drive-1'],
    );
    const reading = await plugin.status(context, spec('raidz1', 3));
    expect(reading).toMatchObject({
      poolStatus: 'degraded',
      health: 'critical',
      mounted: true,
      sizeBytes: 400,
    });
    expect(reading.healthText).toContain('SER1');
    expect(reading.members[1]).toEqual({ driveId: 'drive-1', status: 'missing', detail: null });
  });
  it('believes that a drive is gone before ZFS does', async () => {
    const context = contextOf(
      {
        'zpool list': listed('ONLINE'),
        'zpool status': recorded('status-2.1-onlined.txt'),
        ...SPACE,
      },
      ['drive-2'],
    );
    const reading = await plugin.status(context, spec('raidz1', 3));
    expect(reading.poolStatus).toBe('degraded');
    expect(reading.healthText).toContain('SER2');
  });
  it('of a suspended pool asks nothing that would wait for its drives', async () => {
    const context = contextOf(
      {
        'zpool list': listed('SUSPENDED'),
        'zpool status': recorded('status-2.1-suspended.txt'),
      },
      ['drive-0', 'drive-1'],
    );
    const reading = await plugin.status(context, spec());
    expect(reading).toMatchObject({ poolStatus: 'failed', health: 'critical', sizeBytes: null });
    expect(await plugin.usage(context, spec())).toBeNull();
  });
  it('shows a rebuild with its drive, and what a scrub has mended', async () => {
    const replacing = await plugin.status(
      contextOf({
        'zpool list': listed('DEGRADED'),
        'zpool status': recorded('status-2.1-replacing.txt'),
        ...SPACE,
      }),
      spec('raidz1', 4),
    );
    expect(replacing.work).toMatchObject([{ kind: 'rebuild', percent: 2.02 }]);
    expect(replacing.members[2]?.status).toBe('rebuilding');
    const repaired = await plugin.status(
      contextOf({
        'zpool list': listed('ONLINE'),
        'zpool status': recorded('status-2.1-scrub-repaired.txt'),
        ...SPACE,
      }),
      spec('raidz1', 3),
    );
    expect(repaired).toMatchObject({ poolStatus: 'active', health: 'warning' });
    expect(repaired.lastScrub).toMatchObject({ state: 'finished', uncorrectable: 0 });
    expect(repaired.lastScrub?.errors).toBeGreaterThan(0);
    expect(repaired.healthText).toContain('SER0');
  });
  it('passes on that an answer was not understood', async () => {
    const context = contextOf({ 'zpool list': 'what?' });
    await expect(plugin.status(context, spec())).rejects.toThrow('zpool list said something');
  });
});
