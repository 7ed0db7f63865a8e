import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { LookResult } from '$lib/plugin-api/plan';
import type { PluginContext } from '$lib/plugin-api/storage';
import type { VmSpec } from '$lib/plugin-api/vm';
import { checkVmPlan } from '$lib/server/plugins/plan-check';
import { macOf } from '$plugins/libvirt/domain-xml';
import { madeOf } from '$plugins/libvirt/made-of';
import { parseDefinition, parseDiskSnapshots, parseSnapshots } from '$plugins/libvirt/parse-snapshots';
import makePlugin from '$plugins/libvirt/plugin.server';
import { snapshotPlansOf } from '$plugins/libvirt/plan-snapshots';
import { readSnapshots } from '$plugins/libvirt/read-snapshots';
import { snapshotLooksOf } from '$plugins/libvirt/snapshot-looks';

const fixture = (path: string): string => readFileSync(`test/fixtures/${path}`, 'utf8');
const DEFINITION = fixture('virsh/9.0-definition.xml');
const SNAPSHOTS = fixture('virsh/9.0-snapshots.xml');
const OUTSIDE = fixture('virsh/9.0-snapshot-outside.xml');
const INFO = fixture('qemu-img/7.2/snapshots.json');
const DISK = '/srv/tank/machines/web/disk.qcow2';
const ID = '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
const FILES: unknown = expect.stringContaining('files of its own');
/** Of `first` in the fixtures. */
const [first] = parseSnapshots(sdk, SNAPSHOTS);
const FIRST_AT = first?.createdAt ?? 0;
const spec = { id: ID, name: 'web', folder: '/srv/tank/machines/web' } as VmSpec;

describe('what virsh says of the snapshots of a machine', () => {
  it('gives each its name, its time, what it is for and what it was made upon', () => {
    expect(parseSnapshots(sdk, SNAPSHOTS)).toMatchObject([
      {
        name: 'first',
        description: 'the <first> one',
        parent: null,
        wasIn: 'off',
        restoreWhy: null,
        deleteWhy: null,
      },
      {
        name: 'second one',
        parent: 'first',
        wasIn: 'running',
        size: { cpus: 1, memoryBytes: 32 * 1024 ** 2 },
      },
    ]);
    expect(new Date(FIRST_AT).getUTCFullYear()).toBe(2026);
  });
  it('may be nothing at all', () => {
    expect(parseSnapshots(sdk, '\n')).toEqual([]);
  });
  it('leaves alone what was made outside, and what no step can name', () => {
    expect(parseSnapshots(sdk, OUTSIDE)).toMatchObject([
      { name: 'ext', wasIn: 'off', restoreWhy: FILES, deleteWhy: FILES },
    ]);
    const odd = SNAPSHOTS.replace('<name>first</name>', '<name>--children</name>');
    expect(parseSnapshots(sdk, odd)[0]?.deleteWhy).toMatch(/Its name/);
  });
  it.each([
    ['a warning before it', `warning: something\n${SNAPSHOTS}`],
    ['a warning after it', `${SNAPSHOTS}\nwarning: something`],
    ['a state that is not known', SNAPSHOTS.replace('<state>shutoff<', '<state>melted<')],
    ['no time', SNAPSHOTS.replace(/<creationTime>\d+</, '<creationTime><')],
    ['no name', SNAPSHOTS.replace('<name>first</name>', '')],
    ['an element that does not end', SNAPSHOTS.replace('</description>', '')],
    ['no memory', SNAPSHOTS.replaceAll(/<memory unit[^/]*<\/memory>/g, '')],
  ])('is an error with %s, never "no snapshot"', (_title, text) => {
    expect(() => parseSnapshots(sdk, text)).toThrow();
  });
  it('never makes snapshots of garbage', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseSnapshots(sdk, text)).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

describe('the definition of a machine', () => {
  const obstacleWith = (from: string, to: string) => {
    const { outside, obstacle } = parseDefinition(sdk, DEFINITION.replace(from, to));
    return outside ?? obstacle;
  };
  it('names the disks that are written to, and the restore that is under way', () => {
    expect(parseDefinition(sdk, DEFINITION)).toEqual({
      ...{ firmware: null, tpm: false, outside: null, targets: ['vda'] },
      ...{ diskPaths: [DISK], note: { name: 'first', createdAt: 1795333401 }, obstacle: null },
    });
  });
  it.each([
    ['UEFI', '</type>', '</type><nvram>/vars.fd</nvram>', /UEFI/],
    ['a TPM', '<devices>', "<devices><tpm model='tpm-crb'/>", /TPM/],
    ['a raw disk', "type='qcow2'", "type='raw'", /vda is not of the kind qcow2/],
    ['no disk', "device='disk'", "device='floppy'", /no disk/],
  ])('keeps a machine that somebody gave %s from having snapshots', (_title, from, to, why) => {
    expect(obstacleWith(from, to)).toMatch(why);
  });
});

describe('what qemu-img says of the snapshots in a disk', () => {
  it('is their memory', () => {
    expect(parseDiskSnapshots(INFO)).toEqual([
      { name: 'ghost', memoryBytes: 0 },
      { name: 'first', memoryBytes: 0 },
      { name: 'second one', memoryBytes: 1122389 },
    ]);
    expect(parseDiskSnapshots('{"format": "qcow2"}')).toEqual([]);
  });
  it.each(['', '[]', '{"format": "raw"}', '{"format": "qcow2", "snapshots": [{}]}'])(
    'is an error for %j',
    (text) => {
      expect(() => parseDiskSnapshots(text)).toThrow();
    },
  );
});

/** A virsh and a qemu-img that say what they are told to. */
function contextOf(
  change: {
    definition?: string;
    current?: string;
    runId?: string;
    state?: string;
    info?: string | null;
  } = {},
) {
  const { definition = DEFINITION, current = 'first', runId = '-', state = '5', info = INFO } = change;
  const answer = (words: string[]): { stdout: string; exitCode?: number } => {
    if (words[0] === 'info') return info === null ? { stdout: '', exitCode: 1 } : { stdout: info };
    const [verb = ''] = words.slice(3);
    if (verb === 'dumpxml') return { stdout: definition };
    if (verb === 'domid') return { stdout: `${runId}\n` };
    if (verb === 'snapshot-list') return { stdout: 'first\nsecond one\n' };
    if (verb === 'snapshot-current') return { stdout: current, exitCode: current === '' ? 1 : 0 };
    if (verb === 'domstats') return { stdout: `Domain: 'web'\n  state.state=${state}\n  state.reason=11\n` };
    if (verb.startsWith('snapshot-dumpxml')) return { stdout: SNAPSHOTS };
    throw new Error(`it was not expected to be asked for ${verb}`);
  };
  const asked: string[][] = [];
  const context = {
    signal: new AbortController().signal,
    read: (_program: string, argv: string[]) => {
      asked.push(argv);
      return Promise.resolve({ exitCode: 0, stderr: '', ...answer(argv) });
    },
  } as unknown as PluginContext;
  return { context, asked };
}

describe('the snapshots of a machine', () => {
  it('are read from libvirt and from its disks as one', async () => {
    const { context, asked } = contextOf({ runId: '7' });
    expect(await readSnapshots(sdk)(context, spec)).toMatchObject({
      snapshots: [
        { name: 'first', isCurrent: true, memoryBytes: null },
        { name: 'second one', isCurrent: false, memoryBytes: 1122389 },
      ],
      ...{ takeWhy: null, strays: ['ghost'], facts: { diskPaths: [DISK], runId: '7' } },
    });
    expect(asked.flat()).toContain(`snapshot-dumpxml ${ID} 'first'; snapshot-dumpxml ${ID} 'second one'`);
  });
  it('are told without their memory, and without taking another, while a disk cannot be read', async () => {
    const { context } = contextOf({ info: null });
    expect(await readSnapshots(sdk)(context, spec)).toMatchObject({
      ...{ takeWhy: `${DISK} cannot be read now.`, strays: [] },
    });
  });
});

describe('what a machine is made of once it is restored', () => {
  it('is what its definition of then says, with the cards that are Cairn’s', async () => {
    const { context } = contextOf({});
    const { snapshots, facts } = await readSnapshots(sdk)(context, spec);
    const [one] = snapshots;
    const has = one && snapshotPlansOf(sdk).madeOf({ ...spec, cards: [] }, one, facts);
    expect(has).toEqual({ cards: [], cdPath: null, topology: null, boot: ['disk-1'] });
  });
  it('are slots by the address of a card, the CD in its drive, and an order without what is not Cairn’s', () => {
    const mac = macOf(sdk, ID, 2);
    const devices = [
      `<interface type='network'><mac address='${mac}'/><boot order='1'/></interface>`,
      "<interface type='network'><mac address='52:54:00:00:00:99'/><boot order='2'/></interface>",
      "<disk type='file' device='cdrom'><source file='/i.iso'/><target dev='sda'/><boot order='3'/></disk>",
    ];
    const domain = sdk.parseXml(
      `<domain><cpu><topology sockets='2' cores='1' threads='1'/></cpu><devices>${devices.join('')}</devices></domain>`,
    );
    expect(madeOf(sdk, spec, domain)).toEqual({
      ...{ cards: [{ slot: 2, mac }], cdPath: '/i.iso', boot: ['card-2', 'cd'] },
      topology: { sockets: 2, cores: 1, threads: 1 },
    });
  });
});

describe('a snapshot of a machine that had other disks then', () => {
  it('can be deleted, and not restored: what it had then may be gone, and what it has now would be left out', async () => {
    const another =
      "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/more.qcow2'/></disk>";
    const { context } = contextOf({ definition: DEFINITION.replace('<devices>', `<devices>${another}`) });
    const { snapshots } = await readSnapshots(sdk)(context, spec);
    expect(snapshots.map(({ restoreWhy }) => restoreWhy)).toEqual([
      expect.stringContaining('other disks'),
      expect.stringContaining('other disks'),
    ]);
    expect(snapshots.map(({ deleteWhy }) => deleteWhy)).toEqual([null, null]);
  });
});

describe('a snapshot that its disk does not have any more', () => {
  it('can be deleted, and not restored', async () => {
    const { context } = contextOf({ info: '{"format": "qcow2"}' });
    const { snapshots } = await readSnapshots(sdk)(context, spec);
    expect(snapshots).toMatchObject([
      { name: 'first', restoreWhy: expect.stringContaining('roll back'), deleteWhy: null },
      { name: 'second one' },
    ]);
  });
});

describe('the plans of snapshots', () => {
  const plans = snapshotPlansOf(sdk);
  const facts = { diskPaths: [DISK], runId: null };
  const plugin = makePlugin(sdk);
  it('touch nothing but by the tools that are declared', () => {
    if (!first) throw new Error('the fixture has no snapshot');
    for (const steps of [
      plans.take(spec, { name: 'x', description: null }, facts),
      plans.restore(spec, first, facts),
      plans.delete(spec, first),
    ])
      expect(checkVmPlan(plugin, spec, steps)).toBe(steps);
  });
  it('hand over what somebody has written as XML, whatever it is', () => {
    const [step] = plans.take(spec, { name: 'x', description: '</description>&"\'' }, facts);
    const stdin = step?.run.do === 'exec' ? (step.run.stdin ?? '') : '';
    expect(sdk.childOf(sdk.parseXml(stdin), 'description')?.text).toBe('</description>&"\'');
  });
});

describe('a restore', () => {
  const look = async (change: Parameters<typeof contextOf>[0], args: object = {}): Promise<LookResult> => {
    const { restored } = snapshotLooksOf(sdk);
    const all = { id: ID, name: 'first', createdAt: FIRST_AT, runId: null, ...args };
    return restored(contextOf(change).context, all);
  };
  const noted = DEFINITION.replace(/taken="\d+"/, `taken="${FIRST_AT}"`);
  const free = DEFINITION.replace(/<cairn:restore[^>]*>/, '');

  it('has not happened as long as the definition says that it is under way', async () => {
    expect(await look({ definition: noted })).toMatchObject({ status: 'absent' });
    expect(await look({ definition: noted, runId: '7' }, { runId: '7' })).toMatchObject({ status: 'absent' });
  });
  it('has happened when the old definition is back and the machine goes on from the snapshot', async () => {
    expect(await look({ definition: free })).toMatchObject({ status: 'done' });
    // What a restore to another one has left says nothing.
    expect(await look({ definition: DEFINITION })).toMatchObject({ status: 'done' });
  });
  it('is waited for while the machine is being started as it was', async () => {
    expect(await look({ definition: free, current: '', state: '3' })).toMatchObject({ status: 'running' });
  });
  it('does not happen to a machine that was started since it was asked for', async () => {
    expect(await look({ definition: noted, runId: '8' }, { runId: '7' })).toMatchObject({
      status: 'foreign',
    });
    expect(await look({ definition: noted, runId: '8' })).toMatchObject({ status: 'foreign' });
  });
  it('does not happen with another snapshot of the same name', async () => {
    expect(await look({ definition: noted }, { createdAt: FIRST_AT - 1_000 })).toMatchObject({
      status: 'foreign',
    });
  });
});

describe('a snapshot that is looked for', () => {
  const { snapshot } = snapshotLooksOf(sdk);
  const look = async (args: object): Promise<string> =>
    (await snapshot(contextOf().context, { id: ID, createdAt: null, diskPaths: [DISK], ...args })).status;
  it('is there, is another one, is only in the disk, or is not there', async () => {
    expect(await look({ name: 'first', createdAt: FIRST_AT })).toBe('done');
    expect(await look({ name: 'first', createdAt: FIRST_AT + 1_000 })).toBe('foreign');
    expect(await look({ name: 'ghost' })).toBe('partial');
    expect(await look({ name: 'never' })).toBe('absent');
  });
});
