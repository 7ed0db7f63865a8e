import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { ExecAction, Step } from '$lib/plugin-api/plan';
import type { PluginContext, PoolDrive, PoolSpec } from '$lib/plugin-api/storage';
import { divide, EXTENT_BYTES, usableBytes } from '$plugins/lvm/capacity';
import { lvmUuid, mappedName, snapshotName, snapshotVolume } from '$plugins/lvm/names';
import { parseReport } from '$plugins/lvm/parse-report';
import makePlugin from '$plugins/lvm/plugin.server';

const fixture = (name: string): string => readFileSync(`test/fixtures/lvm/${name}`, 'utf8');
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const GUID = '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a5b';
const plugin = makePlugin(sdk);

const drive = (slot: number, more: Partial<PoolDrive> = {}): PoolDrive => ({
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
const spec = (layout = 'mirror', count = 2, options: PoolSpec['options'] = {}): PoolSpec => ({
  guid: GUID,
  label: 'tank',
  layout,
  options: { filesystem: 'ext4', overcommitPercent: 100, ...options },
  mountPath: '/mnt/tank',
  mountPathExisted: false,
  drives: Array.from({ length: count }, (_, slot) => drive(slot)),
});
const named = (steps: Step[], name: string): Step => {
  const step = steps.find((one) => one.name === name);
  if (!step) throw new Error(`no step ${name} among ${steps.map((one) => one.name).join(', ')}`);
  return step;
};
const argvOf = (step: Step): ExecAction['argv'] => (step.run.do === 'exec' ? step.run.argv : []);
const wordsOf = (step: Step): string =>
  argvOf(step)
    .map((word) => (typeof word === 'string' ? word : 'drive' in word ? `<${word.drive}>` : '<volume>'))
    .join(' ');

describe('names inside of LVM', () => {
  it('double the dashes of both parts of a device-mapper name', () => {
    expect(mappedName('cairn_3b0c6f2e', 'data')).toBe('cairn_3b0c6f2e-data');
    expect(mappedName('my-group', 'a-b')).toBe('my--group-a--b');
  });
  it('write a UUID the way LVM does', () => {
    expect(lvmUuid(GUID)).toBe('3b0c6f-2e7f-4d4b-8a9c-0e5a-1d2e-3f4a5b');
  });
  it.each(['before upgrade', 'nightly-2026.11.21', 'a_tmeta', 'Größe', '+'])(
    'read back the snapshot %s',
    (name) => {
      expect(snapshotVolume(name)).toMatch(/^snap\.[A-Za-z0-9.+-]+$/);
      expect(snapshotName(snapshotVolume(name))).toBe(name);
    },
  );
  it('know no snapshot in the volume of somebody else', () => {
    expect(snapshotName('data')).toBeNull();
    expect(snapshotName('snap.+ff+fe')).toBeNull();
  });
});

describe('the division of drives', () => {
  it.each([
    ['linear', [2, 1], 3],
    ['mirror', [2, 1, 1], 1],
    ['raid5', [2, 1, 1], 2],
    ['thin', [2, 1], 3],
  ])('%s of %j GiB holds nearly %d GiB', (layout, sizes, wanted) => {
    const bytes = usableBytes({ layout, driveSizesBytes: sizes.map((size) => size * GIB) });
    expect(bytes / GIB).toBeLessThan(wanted);
    expect(bytes / GIB).toBeGreaterThan(wanted * 0.95);
  });
  it('is nothing for no drives and for drives that are too small', () => {
    for (const layout of ['linear', 'mirror', 'raid5', 'thin'])
      for (const sizes of [[], [MIB], [MIB, MIB, MIB]])
        expect(usableBytes({ layout, driveSizesBytes: sizes })).toBe(0);
  });
  it('promises more than there is only where it was asked for', () => {
    const { extents, virtualExtents } = divide('thin', [GIB], 300);
    expect(virtualExtents).toBe(extents * 3);
  });
  it('keeps the metadata of a very large thin pool within what the kernel takes', () => {
    const { metadataExtents, chunkBytes } = divide(
      'thin',
      Array.from({ length: 10 }, () => 20 * 1024 * GIB),
    );
    expect(metadataExtents * EXTENT_BYTES).toBeLessThanOrEqual(15.9 * GIB);
    expect(chunkBytes).toBeGreaterThan(128 * 1024);
    expect(Math.log2(chunkBytes) % 1).toBe(0);
  });
});

describe('the plans', () => {
  const layouts: [string, number][] = [
    ['linear', 2],
    ['mirror', 2],
    ['raid5', 3],
    ['thin', 2],
  ];
  it.each(layouts)('%s: LVM may touch the drives of the pool only, and asks nothing', (layout, count) => {
    const of = spec(layout, count);
    const steps = [...plugin.create(of), ...plugin.destroy(of), ...plugin.mount(of), ...plugin.unmount(of)];
    const actions = steps.flatMap((step) => [step.run, ...(Array.isArray(step.undo) ? step.undo : [])]);
    for (const action of actions)
      if (action.do === 'exec' && action.program === '/usr/sbin/lvm') {
        expect(action.argv).toContain('--devices');
        expect(action.argv).toContain('--yes');
      }
    expect(new Set(plugin.create(of).map((step) => step.name)).size).toBe(plugin.create(of).length);
  });
  it('tell LVM the UUID of each drive', () => {
    expect(wordsOf(named(plugin.create(spec()), 'make-physical-volume-0'))).toMatch(
      /--uuid \w{6}(-\w{4}){5}-\w{6} --norestorefile --dataalignment 1m -- <drive-0>$/,
    );
  });
  it('make a group that nobody but Cairn starts', () => {
    const words = wordsOf(named(plugin.create(spec('raid5', 3)), 'make-volume-group'));
    expect(words).toContain('--setautoactivation n');
    expect(words).toContain(`--addtag cairn.guid=${GUID}`);
    expect(words).toContain('cairn_3b0c6f2e <drive-0> <drive-1> <drive-2>');
  });
  it.each([
    ['linear', 2, '--type linear'],
    ['mirror', 3, '--type raid1 --mirrors 2'],
    ['raid5', 4, '--type raid5 --stripes 3'],
  ])('make a %s volume of %d drives', (layout, count, wanted) => {
    expect(wordsOf(named(plugin.create(spec(layout, count)), 'make-volume'))).toContain(wanted);
  });
  it('erase with one command a drive, and leave out a drive that is not there', () => {
    const of = spec('raid5', 3);
    of.drives[1] = drive(1, { present: false });
    const destroyed = plugin.destroy(of).flatMap((step) => step.destroys ?? []);
    expect(destroyed).toEqual(['drive-0', 'drive-2']);
    expect(JSON.stringify(plugin.mount(of))).not.toContain('drive-1"},"--');
    expect(wordsOf(named(plugin.mount(of), 'activate'))).toContain('--activationmode degraded');
  });
  it('stop a volume without its drives when none is there', () => {
    const of = spec();
    of.drives = of.drives.map((one) => ({ ...one, present: false }));
    expect(named(plugin.unmount(of), 'deactivate').run).toMatchObject({ program: '/usr/sbin/dmsetup' });
  });

  it('replace a drive that is there by a move, so that nothing is ever less safe', () => {
    const steps = plugin.replace(spec('raid5', 3), {
      old: drive(1),
      fresh: drive(1, { id: 'new', serial: 'NEW' }),
    });
    expect(steps.map((step) => step.name)).toEqual([
      'make-physical-volume-1',
      'extend-group',
      'move-data',
      'refresh-volume',
      'reduce-group',
      'erase-physical-volume-1',
    ]);
    expect(wordsOf(named(steps, 'move-data'))).toMatch(/pvmove .*--atomic .*<drive-1> <new>$/);
    for (const name of ['extend-group', 'move-data', 'reduce-group'])
      expect(wordsOf(named(steps, name))).toContain('--devices <new>');
  });
  it('replace a drive that is gone by building it again', () => {
    const of = spec('mirror', 2);
    of.drives[1] = drive(1, { present: false });
    const steps = plugin.replace(of, { old: drive(1, { present: false }), fresh: drive(1, { id: 'new' }) });
    expect(steps.map((step) => step.name)).toContain('repair-volume');
    expect(JSON.stringify(steps.map((step) => step.run))).not.toContain('"drive-1"');
  });
  it('never cut a volume on the way back from growing it', () => {
    const steps = plugin.expand(spec('linear', 1), { added: [drive(1)] });
    expect(named(steps, 'grow-volume').undo).toBe('impossible');
    expect(named(steps, 'grow-filesystem').undo).toBe('impossible');
  });
  it('give a mirror another copy, not more space', () => {
    const steps = plugin.expand(spec('mirror', 2), { added: [drive(2)] });
    expect(wordsOf(named(steps, 'add-copies'))).toMatch(/--mirrors 2 cairn_3b0c6f2e\/data <drive-2>$/);
  });
  it('roll back so that the snapshot stays and what was there is kept', () => {
    const steps = plugin.snapshots.rollBack(spec('thin'), { name: 'a', keepAs: 'before a' });
    expect(wordsOf(named(steps, 'keep-volume'))).toMatch(/cairn_3b0c6f2e data snap.before\+20a$/);
    expect(wordsOf(named(steps, 'volume-from-snapshot'))).toMatch(/--name data cairn_3b0c6f2e\/snap.a$/);
    expect(() => plugin.snapshots.create(spec('linear'), { name: 'a' })).toThrow(/thin/);
  });
});

describe('refusals', () => {
  it.each([
    ['start-scrub', 'linear', 2, /no second copy/],
    ['remove-drive', 'mirror', 2, /two drives/],
    ['remove-drive', 'thin', 2, /Replace the drive/],
    ['expand', 'raid5', 3, /new pool/],
    ['re-add', 'thin', 2, /Plugging it in/],
  ] as const)('%s of a %s of %d drives says why', (verb, layout, count, why) => {
    expect(plugin.refusal(verb, spec(layout, count), null)).toMatch(why);
  });
  it('name the drive that is not there', () => {
    const of = spec('linear', 2);
    of.drives[1] = drive(1, { present: false });
    expect(plugin.refusal('replace', of, null)).toContain('SER1');
    expect(plugin.refusal('replace', spec('linear', 2), null)).toBeNull();
  });
});

describe('lvm fullreport', () => {
  it('refuses what is not the report that was asked for', () => {
    for (const text of [
      '',
      '{}',
      '{"report":{}}',
      '{"report":[{"vg":[{"vg_name":"x"}]}]}',
      '  Command failed.',
    ])
      expect(() => parseReport(text)).toThrow();
    const odd = fixture('fullreport-2.03.16-raid5-resync.json').replace('"20.58"', '"a fifth"');
    expect(() => parseReport(odd)).toThrow(/copy_percent/);
  });
  it('reads groups, volumes and where they lie', () => {
    const { groups, loose } = parseReport(fixture('fullreport-2.03.16-raid5-resync.json'));
    expect(loose).toEqual([]);
    expect(groups).toHaveLength(1);
    const [group] = groups;
    expect(group).toMatchObject({ name: 'cairn_aa', tags: ['cairn.guid=x'], missingCount: 0 });
    expect(group?.volumes.find((volume) => volume.name === 'data')).toMatchObject({
      hidden: false,
      active: true,
      syncAction: 'resync',
      copyPercent: 20.58,
      segments: [{ type: 'raid5', devices: ['data_rimage_0', 'data_rimage_1', 'data_rimage_2'] }],
    });
  });
});

describe('lvm fullreport of 2.03.31', () => {
  it('reads a group of which the kernel knows nothing, and leaves out what LVM complains of', () => {
    const { groups, loose } = parseReport(fixture('fullreport-2.03.31-raid1-no-device-mapper.json'));
    expect(loose).toEqual([]);
    expect(groups).toHaveLength(1);
    expect(groups[0]?.physical.map(({ path, markedMissing }) => [path, markedMissing])).toEqual([
      ['/dev/sda', false],
      ['/dev/sdb', false],
    ]);
    expect(groups[0]?.volumes.find(({ name }) => name === 'data')).toMatchObject({
      active: false,
      readOnly: false,
      syncAction: null,
      copyPercent: null,
      segments: [{ type: 'raid1', devices: ['data_rimage_0', 'data_rimage_1'] }],
    });
  });
});

/** The group of the fixtures, with drives sda to sdd; those in `present` are there. */
function context(name: string, present: string[], change: (text: string) => string = (text) => text) {
  const pathOf = (id: string): string => `/dev/${id}`;
  const fake: PluginContext = {
    read: () => Promise.resolve({ stdout: change(fixture(name)), stderr: 'leaked', exitCode: 0 }),
    path: (ref) => {
      if ('mapped' in ref) return ref.mapped === 'cairn_aa-data' ? '/dev/dm-6' : null;
      return 'drive' in ref && present.includes(ref.drive) ? pathOf(ref.drive) : null;
    },
    drives: () => present.map((id) => ({ id, path: pathOf(id), serial: id, sizeBytes: GIB, partitions: [] })),
    driveIdOf: (path) => present.find((id) => pathOf(id) === path) ?? null,
    hasFilesystem: () => true,
    probe: (path) =>
      Promise.resolve(path === '/dev/dm-6' ? { type: 'ext4', uuid: GUID, label: 'tank' } : null),
    mounts: () => [
      {
        path: '/mnt/tank',
        source: '/dev/mapper/cairn_aa-data',
        filesystem: 'ext4',
        majorMinor: '253:6',
        readOnly: false,
      },
    ],
    usage: () => Promise.resolve({ sizeBytes: 100, usedBytes: 5, availableBytes: 95 }),
    signal: new AbortController().signal,
    log: () => undefined,
  };
  return fake;
}
const MISSING = 'fullreport-2.03.16-raid5-missing-reshape.json';
const WHOLE = 'fullreport-2.03.16-raid5.json';
const recorded = (...ids: string[]): PoolSpec => ({
  ...spec('raid5', 0),
  drives: ids.map((id, slot) => drive(slot, { id, serial: `SER-${id}` })),
  facts: {
    group: 'cairn_aa',
    groupUuid: 'YZKogE-hgIE-y2Dg-hgVy-GiBG-Qaug-WT47PZ',
    physical: {
      sda: 'clwcHv-vbSM-vmT5-6OgP-uXd9-sZ5l-VQAXT5',
      sdb: 'GKpOCW-RdLL-uKsF-MNdw-SVNR-SGDX-N4fASb',
      sdc: 'Y9Lr7Y-oZMn-0ILu-CL82-mXCA-taL6-WXjG80',
      sdd: 'YYKtOF-NtBA-dkB7-1xAN-1GA5-E1k2-ceTy6N',
    },
  },
});

describe('the status', () => {
  const whole = recorded('sda', 'sdb', 'sdc');
  it('is active when every drive is there and in sync', async () => {
    const reading = await plugin.status(context(WHOLE, ['sda', 'sdb', 'sdc']), whole);
    expect(reading).toMatchObject({
      poolStatus: 'active',
      health: 'healthy',
      mounted: true,
      work: [],
      usedBytes: 5,
    });
  });
  it('tells a first resync with its percent, and counts no drive as faulty for it', async () => {
    const resync = 'fullreport-2.03.16-raid5-resync.json';
    const reading = await plugin.status(context(resync, ['sda', 'sdb', 'sdc']), whole);
    expect(reading).toMatchObject({ poolStatus: 'resync', work: [{ kind: 'resync', percent: 20.58 }] });
    expect(new Set(reading.members.map((member) => member.status))).toEqual(new Set(['active']));
  });
  it('is degraded, and names the serial, when a drive is gone', async () => {
    const of = recorded('sda', 'sdb', 'sdc', 'sdd');
    const reading = await plugin.status(context(MISSING, ['sda', 'sdc', 'sdd']), of);
    expect(reading).toMatchObject({ poolStatus: 'degraded', work: [{ kind: 'reshape', percent: 30.44 }] });
    expect(reading.members.map((member) => member.status)).toEqual(['active', 'missing', 'active', 'active']);
    expect(reading.healthText).toContain('SER-sdb');
  });
  it('is degraded, and names the serial, when a drive is plugged in and gives no answer', async () => {
    const of = recorded('sda', 'sdb', 'sdc', 'sdd');
    const reading = await plugin.status(context(MISSING, ['sda', 'sdb', 'sdc', 'sdd']), of);
    expect(reading).toMatchObject({ poolStatus: 'degraded', health: 'critical' });
    expect(reading.members[1]).toMatchObject({
      status: 'faulty',
      detail: expect.stringContaining('no answer'),
    });
    expect(reading.healthText).toContain('SER-sdb');
  });
  it('is failed or missing when more are gone than the layout survives', async () => {
    const of = recorded('sda', 'sdb', 'sdc', 'sdd');
    expect(await plugin.status(context(MISSING, ['sda', 'sdc']), of)).toMatchObject({ poolStatus: 'failed' });
  });
  it('calls no drive faulty while the volume does not run, when LVM knows nothing of its copies', async () => {
    const stopped = (text: string): string =>
      text
        .replaceAll('"lv_active":"active"', '"lv_active":""')
        .replaceAll('"lv_attr":"iwi-a', '"lv_attr":"Iwi--')
        .replace(
          '"copy_percent":"100.00", "raid_sync_action":"idle"',
          '"copy_percent":"", "raid_sync_action":""',
        );
    const idle = context(WHOLE, ['sda', 'sdb', 'sdc'], stopped);
    const reading = await plugin.status({ ...idle, mounts: () => [] }, whole);
    expect(reading).toMatchObject({ poolStatus: 'inactive', health: 'healthy', work: [] });
  });
  it('tells of differences that the last scrub found', async () => {
    const differs = (text: string): string =>
      text.replace('"raid_mismatch_count":"0"', '"raid_mismatch_count":"128"');
    const reading = await plugin.status(context(WHOLE, ['sda', 'sdb', 'sdc'], differs), whole);
    expect(reading).toMatchObject({ poolStatus: 'active', health: 'warning' });
    expect(reading.healthText).toContain('128 sectors');
  });
  it('does not believe a group of the same name that is not its own', async () => {
    const other = (text: string): string => text.replaceAll('YZKogE', 'AAAAAA');
    const reading = await plugin.status(context(WHOLE, ['sda', 'sdb', 'sdc'], other), whole);
    expect(reading).toMatchObject({ health: 'critical' });
  });
  it('is an error, not "nothing there", when the tool says something unknown', async () => {
    const odd = context(WHOLE, ['sda', 'sdb', 'sdc'], () => 'Rapport');
    await expect(plugin.status(odd, whole)).rejects.toMatchObject({ name: 'ParseError' });
  });
});

describe('found groups', () => {
  it('are told with what misses, and how the pool can be taken over', async () => {
    const [found] = await plugin.find(context(MISSING, ['sda', 'sdc', 'sdd']));
    expect(found).toMatchObject({
      guid: GUID,
      layout: 'raid5',
      byCairn: false,
      obstacle: null,
      mountedAt: '/mnt/tank',
    });
    expect(found?.members.map((member) => member.driveId)).toEqual(['sda', 'sdc', 'sdd']);
    expect(found?.missing).toHaveLength(1);
  });
  it('that run are looked into as they run; a linear one of ours is started and stopped for it', () => {
    const running = { ...spec('mirror'), facts: { running: true } };
    expect(plugin.peek(running).open.map(({ name }) => name)).toEqual(['mount-read-only']);
    expect(plugin.peek(running).open[0]?.run).toMatchObject({
      options: expect.arrayContaining(['ro', 'noload']) as string[],
    });
    const { open, close } = plugin.peek(spec('linear'));
    expect(open.map(({ name }) => name)).toEqual(['activate', 'mount-read-only']);
    expect(close.map(({ name }) => name)).toEqual(['unmount', 'deactivate']);
    expect(() => plugin.peek(spec('raid5', 3))).toThrow(/write/);
  });
  it('that do not run cannot be looked into, and stay as they are', async () => {
    const idle = { ...context(WHOLE, ['sda', 'sdb', 'sdc']), mounts: () => [] };
    const path = idle.path;
    const [found] = await plugin.find({ ...idle, path: (ref) => ('mapped' in ref ? null : path(ref)) });
    expect(found?.obstacle).toMatch(/writes to its drives.*vgchange .* cairn_aa$/);
    expect(found?.layout).toBeNull();
    expect(found?.guid).toMatch(/^[0-9a-f-]{36}$/);
  });
});
