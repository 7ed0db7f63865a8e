import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { PluginContext, PoolSpec } from '$lib/plugin-api/storage';
import makePlugin from '$plugins/btrfs/plugin.server';
import { usableBytes } from '$plugins/btrfs/capacity';
import { parseShow } from '$plugins/btrfs/parse-show';
import { parseStats } from '$plugins/btrfs/parse-stats';

const fixture = (name: string): string => readFileSync(`test/fixtures/btrfs/${name}`, 'utf8');
const GIB = 1024 ** 3;
const GUID = '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a5b';
const plugin = makePlugin(sdk);

const spec = (layout = 'raid1', count = 2): PoolSpec => ({
  guid: GUID,
  label: 'tank',
  layout,
  options: { compression: 'zstd' },
  mountPath: '/mnt/tank',
  mountPathExisted: false,
  drives: Array.from({ length: count }, (_, slot) => ({
    id: `drive-${slot}`,
    serial: `SER${slot}`,
    label: `bay ${slot}`,
    sizeBytes: GIB,
    slot,
    contentHash: 'blank',
    partitions: [],
    present: true,
  })),
});

describe('btrfs filesystem show', () => {
  it('names every device of a whole filesystem', () => {
    expect(parseShow(fixture('show-6.2-raid1.txt'))).toMatchObject({
      uuid: GUID,
      totalDevices: 2,
      devices: [
        { devid: 1, path: '/dev/loop17' },
        { devid: 2, path: '/dev/loop18' },
      ],
      someMissing: false,
    });
  });
  it('tells a missing device that is listed from one that is left out', () => {
    expect(parseShow(fixture('show-6.2-degraded-mounted.txt')).devices).toMatchObject([
      { devid: 1, path: '/dev/loop17' },
      { devid: 2, path: null },
    ]);
    expect(parseShow(fixture('show-6.2-degraded-unmounted.txt'))).toMatchObject({
      devices: [{ devid: 1 }],
      someMissing: true,
    });
  });
  it('refuses an answer that it does not understand', () => {
    expect(() => parseShow('')).toThrow();
    expect(() => parseShow('ERROR: not a valid btrfs filesystem: /mnt')).toThrow();
  });
});

describe('btrfs device stats', () => {
  it('reads the same from JSON and from text', () => {
    expect(parseStats(fixture('stats-6.2-json.json'))).toEqual(parseStats(fixture('stats-6.2-text.txt')));
    expect(parseStats(fixture('stats-6.2-degraded.txt'))[1]?.device).toBe('devid:2');
  });
  it('keeps the counters apart', () => {
    const text = fixture('stats-6.2-text.txt').replace(
      '[/dev/loop18].write_io_errs    0',
      '[/dev/loop18].write_io_errs    7',
    );
    expect(parseStats(text)[1]?.errors).toMatchObject({ write_io_errs: 7, read_io_errs: 0 });
  });
  it.each(['nonsense', '{}', '{"device-stats":[{"device":"/dev/sda"}]}', '[/dev/sda].write_io_errs x'])(
    'refuses %s',
    (text) => expect(() => parseStats(text)).toThrow(),
  );
});

describe('the capacity of unequal drives', () => {
  it.each([
    ['single', [4, 2, 1], 7],
    ['raid1', [2, 2], 2],
    ['raid1', [4, 1, 1], 2],
    ['raid1', [4, 3, 3], 5],
    ['raid10', [2, 2, 2, 2], 4],
    ['raid10', [4, 4, 1, 1], 5],
    ['raid10', [10, 1, 1, 1], 2],
  ])('%s of %j GiB holds %d GiB', (layout, sizes, wanted) => {
    const driveSizesBytes = sizes.map((size) => size * GIB);
    expect(usableBytes({ layout, driveSizesBytes }) / GIB).toBeCloseTo(wanted, 2);
  });
  it('is nothing for no drives', () => {
    for (const layout of ['single', 'raid1', 'raid10'])
      expect(usableBytes({ layout, driveSizesBytes: [] })).toBe(0);
  });
});

describe('the plans', () => {
  it('keep metadata twice whatever the layout', () => {
    const argvOf = (of: PoolSpec): unknown[] => {
      const run = plugin.create(of).find((step) => step.name === 'make-filesystem')?.run;
      return run?.do === 'exec' ? run.argv : [];
    };
    const profile = (of: PoolSpec): unknown => argvOf(of)[argvOf(of).indexOf('-m') + 1];
    expect(profile(spec('single', 1))).toBe('dup');
    expect(profile(spec('single', 3))).toBe('raid1');
    expect(profile(spec('raid10', 4))).toBe('raid1');
  });
  it('clean each drive by a command of its own on the way back', () => {
    const undo = plugin.create(spec()).find((step) => step.name === 'make-filesystem')?.undo;
    expect(undo).toMatchObject([{ do: 'exec' }, { do: 'exec' }, { do: 'forget-btrfs', at: [{}, {}] }]);
  });
  it('leave a missing drive out and mount degraded', () => {
    const degraded = spec();
    if (degraded.drives[1]) degraded.drives[1].present = false;
    const mount = plugin.mount(degraded).find((step) => step.name === 'mount')?.run;
    expect(mount).toMatchObject({ source: { drive: 'drive-0' } });
    expect(mount?.do === 'mount' && mount.options).toContain('degraded');
    expect(plugin.destroy(degraded).flatMap((step) => step.destroys ?? [])).toEqual(['drive-0']);
  });
});

/** What the tools say of a pool with which nothing is done, by the first word of the command. */
const QUIET: Record<string, string> = {
  balance: fixture('balance-6.2-none.txt'),
  scrub: fixture('scrub-6.2-finished.txt'),
  filesystem: fixture('df-6.2-raid1.txt'),
};

function context(
  present: string[],
  options: { mounted?: boolean; show?: string; stats?: string; tools?: Record<string, string> } = {},
) {
  const paths = new Map([
    ['drive-0', '/dev/loop17'],
    ['drive-1', '/dev/loop18'],
  ]);
  const fake: PluginContext = {
    read: (_program, argv) =>
      Promise.resolve({
        stdout: argv.includes('show')
          ? (options.show ?? '')
          : argv.includes('stats')
            ? (options.stats ?? '')
            : (options.tools?.[argv[0] ?? ''] ?? QUIET[argv[0] ?? ''] ?? ''),
        stderr: '',
        exitCode: 0,
      }),
    path: (ref) => ('drive' in ref && present.includes(ref.drive) ? (paths.get(ref.drive) ?? null) : null),
    drives: () => [],
    driveIdOf: (path) => present.find((id) => paths.get(id) === path) ?? null,
    hasFilesystem: () => true,
    probe: () => Promise.resolve({ type: 'btrfs', uuid: GUID, label: 'tank' }),
    mounts: () =>
      options.mounted
        ? [
            {
              path: '/mnt/tank',
              source: '/dev/loop17',
              filesystem: 'btrfs',
              majorMinor: '0:5',
              readOnly: false,
            },
          ]
        : [],
    usage: () => Promise.resolve({ sizeBytes: 100, usedBytes: 5, availableBytes: 95 }),
    signal: new AbortController().signal,
    log: () => undefined,
  };
  return fake;
}

describe('the status', () => {
  const show = fixture('show-6.2-raid1.txt');
  const stats = fixture('stats-6.2-json.json');

  it('is active when mounted with every drive', async () => {
    const reading = await plugin.status(
      context(['drive-0', 'drive-1'], { mounted: true, show, stats }),
      spec(),
    );
    expect(reading).toMatchObject({ poolStatus: 'active', health: 'healthy', usedBytes: 5 });
  });
  it('is inactive when unmounted with every drive', async () => {
    const reading = await plugin.status(context(['drive-0', 'drive-1']), spec());
    expect(reading).toMatchObject({ poolStatus: 'inactive', mounted: false, sizeBytes: null });
  });
  it('is degraded, and names the serial, when a member left while mounted', async () => {
    const degraded = { mounted: true, show: fixture('show-6.2-degraded-mounted.txt'), stats };
    const reading = await plugin.status(context(['drive-0'], degraded), spec());
    expect(reading).toMatchObject({
      poolStatus: 'degraded',
      members: [{ status: 'active' }, { driveId: 'drive-1', status: 'missing' }],
    });
    expect(reading.healthText).toContain('SER1');
  });
  it('is missing when more drives are gone than the layout survives', async () => {
    expect(await plugin.status(context([]), spec())).toMatchObject({ poolStatus: 'missing' });
    expect(await plugin.status(context(['drive-0']), spec('single'))).toMatchObject({
      poolStatus: 'missing',
    });
  });
  it('warns about a drive that counted errors', async () => {
    const counted = stats.replace('"write_io_errs": "0"', '"write_io_errs": "3"');
    const reading = await plugin.status(
      context(['drive-0', 'drive-1'], { mounted: true, show, stats: counted }),
      spec(),
    );
    expect(reading).toMatchObject({ poolStatus: 'active', health: 'warning' });
    expect(reading.members[0]).toMatchObject({ status: 'faulty', detail: '3 write io errors' });
  });
  it('is at a resync, with how far it is, while a new drive is filled', async () => {
    const uuid = 'd2c4daee-53bb-4983-a0a2-50b1e3311804';
    const replacing = fixture('show-6.2-replacing.txt')
      .replace(uuid, GUID)
      .replace('/dev/loop0', '/dev/loop17')
      .replace('/dev/loop1\n', '/dev/loop18\n');
    const tools = { replace: fixture('replace-6.2-running.txt') };
    expect(
      await plugin.status(
        context(['drive-0', 'drive-1'], { mounted: true, show: replacing, stats, tools }),
        spec(),
      ),
    ).toMatchObject({
      ...{ poolStatus: 'resync', health: 'healthy' },
      work: [{ kind: 'rebuild', percent: 20.8, paused: false }],
      lastScrub: { state: 'finished', errors: 0 },
    });
  });
  it('warns when something is kept only once, as after writing without a drive', async () => {
    const tools = { filesystem: `${fixture('df-6.2-raid1.txt')}Data, single: total=8388608, used=4096\n` };
    const reading = await plugin.status(
      context(['drive-0', 'drive-1'], { mounted: true, show, stats, tools }),
      spec(),
    );
    expect(reading).toMatchObject({ health: 'warning' });
    expect(reading.healthText).toContain('data as single');
  });
  it('is an error, not "nothing there", when the tool says something unknown', async () => {
    const odd = context(['drive-0', 'drive-1'], { mounted: true, show: 'Etikett: tank', stats });
    await expect(plugin.status(odd, spec())).rejects.toMatchObject({ name: 'ParseError' });
  });
});
