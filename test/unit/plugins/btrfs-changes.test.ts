import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { PluginContext, PoolDrive, PoolReading, PoolSpec } from '$lib/plugin-api/storage';
import { parseScrub } from '$plugins/btrfs/parse-scrub';
import { parseBalance, parseProfiles, parseReplace } from '$plugins/btrfs/parse-work';
import makePlugin from '$plugins/btrfs/plugin.server';

const fixture = (name: string): string => readFileSync(`test/fixtures/btrfs/${name}`, 'utf8');
const plugin = makePlugin(sdk);
const GIB = 1024 ** 3;

const drive = (slot: number, more: Partial<PoolDrive> = {}): PoolDrive => ({
  ...{ id: `drive-${slot}`, serial: `SER${slot}`, label: `bay ${slot}`, sizeBytes: GIB, slot },
  ...{ contentHash: 'blank', partitions: [], present: true },
  ...more,
});
const spec = (layout: string, drives: PoolDrive[]): PoolSpec => ({
  ...{ guid: '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a5b', label: 'tank', layout, options: {}, drives },
  ...{ mountPath: '/mnt/tank', mountPathExisted: false },
});
const names = (steps: { name: string }[]): string[] => steps.map((step) => step.name);
const argvOf = (steps: ReturnType<typeof plugin.expand>, name: string): unknown[] => {
  const run = steps.find((step) => step.name === name)?.run;
  return run?.do === 'exec' ? run.argv : [];
};
const IDENTITY = ['make-identity-folder', 'update-identity'];

describe('btrfs scrub status', () => {
  it('tells a scrub that runs, with speed and time left', () => {
    expect(parseScrub(fixture('scrub-6.2-running.txt'))).toEqual({
      ...{ state: 'running', percent: 20.63, bytesPerSecond: 17_334_272, secondsLeft: 19 },
      ...{ durationSeconds: 5, errors: 0, uncorrectable: 0, startedAt: expect.any(Number) },
    });
  });
  it.each([
    ['never', 'never'],
    ['starting', 'running'],
    ['finished', 'finished'],
    ['aborted', 'aborted'],
  ])('tells one that is %s', (name, state) =>
    expect(parseScrub(fixture(`scrub-6.2-${name}.txt`)).state).toBe(state),
  );
  it('counts what was found and what could not be mended', () => {
    const text = fixture('scrub-6.2-finished.txt').replace(
      'Error summary:    no errors found',
      'Error summary:    read=2 csum=14\n  Corrected:      13\n  Uncorrectable:  3\n  Unverified:     0',
    );
    expect(parseScrub(text)).toMatchObject({ errors: 16, uncorrectable: 3 });
  });
  it.each(['', 'nonsense', 'UUID: x\nStatus: odd', 'UUID: x\nStatus: finished\nError summary: many'])(
    'refuses %j',
    (text) => expect(() => parseScrub(text)).toThrow(),
  );
});

describe('btrfs replace status', () => {
  it.each([
    ['never', { state: 'none' }],
    ['running', { state: 'running', percent: 20.8 }],
    ['finished', { state: 'finished' }],
    ['cancelled', { state: 'cancelled' }],
  ])('tells one that is %s', (name, wanted) =>
    expect(parseReplace(fixture(`replace-6.2-${name}.txt`))).toEqual(wanted),
  );
  it('refuses what it does not understand', () => expect(() => parseReplace('Unknown')).toThrow());
});

describe('btrfs balance status', () => {
  it('tells that there is none', () =>
    expect(parseBalance(fixture('balance-6.2-none.txt'))).toEqual({ state: 'none', percent: null }));
  it.each([
    ['running', 'running'],
    ['running, cancel requested', 'running'],
    ['paused', 'paused'],
  ])('tells how far one is that is %s', (words, state) =>
    expect(
      parseBalance(
        `Balance on '/mnt/tank' is ${words}\n3 out of about 12 chunks balanced (4 considered),  75% left\n`,
      ),
    ).toEqual({ state, percent: 25 }),
  );
  it('refuses what it does not understand', () => expect(() => parseBalance('')).toThrow());
});

describe('btrfs filesystem df', () => {
  it('names the profiles of data, metadata and system', () =>
    expect(parseProfiles(fixture('df-6.2-single.txt')).map(({ kind, profile }) => [kind, profile])).toEqual([
      ['data', 'single'],
      ['system', 'dup'],
      ['metadata', 'dup'],
    ]));
  it.each(['', 'Data, RAID1: lots'])('refuses %j', (text) => expect(() => parseProfiles(text)).toThrow());
});

describe('the look at a conversion', () => {
  const uuid = /uuid: (\S+)/.exec(fixture('show-6.2-raid1.txt'))?.[1] ?? '';
  const context = (df: string): PluginContext =>
    ({
      read: (_program: string, argv: string[]) => {
        const answers: Record<string, string> = {
          show: fixture('show-6.2-raid1.txt'),
          status: fixture('balance-6.2-none.txt'),
          df,
        };
        return Promise.resolve({ stdout: answers[argv[1] ?? ''] ?? '', stderr: '', exitCode: 0 });
      },
      mounts: () => [{ path: '/mnt/tank', source: '/dev/sda', filesystem: 'btrfs' }],
      driveIdOf: () => 'drive-0',
    }) as unknown as PluginContext;
  const look = async (df: string) =>
    (
      await plugin.looks?.profiles?.(context(df), {
        ...{ mountPath: '/mnt/tank', uuid, data: 'single', metadata: 'raid1' },
      })
    )?.status;
  const single = fixture('df-6.2-single.txt');
  it.each([
    ['nothing of it', 'absent', single],
    ['all of it', 'done', single.replaceAll('DUP', 'RAID1')],
    [
      'the metadata, and not the system chunks',
      'partial',
      single.replace('Metadata, DUP', 'Metadata, RAID1'),
    ],
    ['one chunk of the metadata', 'partial', `${single}Metadata, RAID1: total=53673984, used=131072\n`],
  ])(
    'that has written %s says %s: what is half converted is never taken for as before',
    async (_, status, df) => expect(await look(df)).toBe(status),
  );
});

describe('the plan of a change', () => {
  it('adds drives one by one, each with a way back of its own', () => {
    const steps = plugin.expand(spec('raid1', [drive(0), drive(1)]), { added: [drive(2), drive(3)] });
    expect(names(steps)).toEqual(['add-drive-2', 'add-drive-3', ...IDENTITY]);
    expect(steps[0]).toMatchObject({
      destroys: ['drive-2'],
      undo: [{ argv: ['device', 'remove', '--', { drive: 'drive-2' }, '/mnt/tank'] }],
    });
  });
  it('keeps metadata on two drives as soon as there are two', () => {
    const steps = plugin.expand(spec('single', [drive(0)]), { added: [drive(1)] });
    expect(argvOf(steps, 'convert-profiles')).toContain('-mconvert=raid1,soft');
  });
  it('erases what is on a new drive first', () => {
    const used = drive(2, { contentHash: 'abc', partitions: [1] });
    const steps = plugin.expand(spec('raid1', [drive(0), drive(1)]), { added: [used] });
    expect(names(steps).slice(0, 3)).toEqual(['erase-drive-2', 'forget-old-partitions-2', 'add-drive-2']);
  });
  it('replaces a drive by its path, grows onto a larger one, and erases the old one', () => {
    const fresh = drive(1, { id: 'drive-9', serial: 'SER9', sizeBytes: 2 * GIB });
    const steps = plugin.replace(spec('raid1', [drive(0), drive(1)]), { old: drive(1), fresh });
    expect(names(steps)).toEqual([
      ...['start-replacement', 'rebuild', 'convert-profiles', 'grow', 'erase-old-drive'],
      ...IDENTITY,
    ]);
    expect(argvOf(steps, 'start-replacement').slice(2)).toEqual([
      { drive: 'drive-1' },
      { drive: 'drive-9' },
      '/mnt/tank',
    ]);
    expect(argvOf(steps, 'grow')).toContain('2:max');
  });
  it('replaces a missing drive by its number, and leaves what is on it alone', () => {
    const old = drive(1, { present: false });
    const fresh = drive(1, { id: 'drive-9' });
    const steps = plugin.replace(spec('raid1', [drive(0), old]), { old, fresh });
    expect(argvOf(steps, 'start-replacement')[2]).toBe('2');
    expect(names(steps)).not.toContain('erase-old-drive');
    expect(steps.flatMap((step) => step.destroys ?? [])).toEqual(['drive-9']);
  });
  it('finds room for the second copy of the metadata before the last but one drive leaves', () => {
    const drives = [drive(0), drive(1)];
    const steps = plugin.removeDrive(spec('single', drives), { drive: drive(1) });
    expect(names(steps)).toEqual(['convert-profiles', 'remove-drive', ...IDENTITY]);
    expect(argvOf(steps, 'convert-profiles')).toContain('-mconvert=dup,soft');
  });
});

describe('what does not fit now', () => {
  const drives = [drive(0), drive(1)];
  const reading = (more: Partial<PoolReading> = {}): PoolReading => ({
    ...{ poolStatus: 'active', health: 'healthy', healthText: null, mounted: true, members: [] },
    ...{ sizeBytes: 1, usedBytes: 1, availableBytes: 1, work: [] },
    ...more,
  });
  const away = drive(1, { present: false });
  it('is everything while the pool is not mounted', () =>
    expect(plugin.refusal('expand', spec('raid1', drives), reading({ mounted: false }))).toContain('Mount'));
  it('is a second thing that btrfs does alone', () => {
    const balance = {
      ...{ kind: 'balance' as const, title: 'Balancing', percent: 1, paused: false },
      ...{ bytesPerSecond: null, secondsLeft: null },
    };
    const busy = reading({ work: [balance] });
    expect(plugin.refusal('replace', spec('raid1', drives), busy)).toContain('Balancing');
    expect(plugin.refusal('start-scrub', spec('raid1', drives), busy)).toBeNull();
  });
  it('is growing while a drive is missing, but not replacing that one', () => {
    const degraded = spec('raid1', [drive(0), away]);
    expect(plugin.refusal('expand', degraded, reading())).toContain('SER1');
    expect(plugin.refusal('replace', degraded, reading())).toBeNull();
  });
  it('is rebuilding what had no second copy', () =>
    expect(plugin.refusal('replace', spec('single', [drive(0), away]), reading())).toContain(
      'no second copy',
    ));
});
