import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { DOMParser } from '@xmldom/xmldom';
import * as sdk from '$lib/plugin-api';
import type { PluginContext } from '$lib/plugin-api/storage';
import type { VmCdDrive, VmDisk, VmOrigin, VmSpec } from '$lib/plugin-api/vm';
import { checkVmPlan } from '$lib/server/plugins/plan-check';
import { checkShape } from '$lib/server/plugins/shape';
import { parseAddresses } from '$plugins/libvirt/addresses';
import { acceleration } from '$plugins/libvirt/acceleration';
import { domainXml, macOf, targetOf } from '$plugins/libvirt/domain-xml';
import { looksOf } from '$plugins/libvirt/looks';
import { devicesIn } from '$plugins/libvirt/parse-devices';
import { hearsDomain, parseDomains } from '$plugins/libvirt/parse-domains';
import { parseSize } from '$plugins/libvirt/parse-size';
import makePlugin from '$plugins/libvirt/plugin.server';

const fixture = (name: string): string => readFileSync(`test/fixtures/virsh/9.0-${name}.txt`, 'utf8');
const spec: VmSpec = {
  ...{ id: '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f', name: 'web', cpus: 2, memoryBytes: 1024 ** 3 },
  ...{ virtType: 'kvm', folder: '/mnt/tank/machines/web', diskPath: '/mnt/tank/machines/web/disk.qcow2' },
  ...{ diskBytes: 10 * 1024 ** 3, seedPath: '/mnt/tank/machines/web/seed.iso', cdPath: null, asRoot: false },
};
const origin: VmOrigin = {
  image: { path: '/mnt/tank/images/debian.qcow2', format: 'qcow2', how: 'overlay' },
  seed: {
    ...{ userData: '#cloud-config\n', metaData: 'x: y\n', networkConfig: null },
    secretPath: '/var/lib/cairn/secrets/x',
  },
};
const plugin = makePlugin(sdk);
const names = (steps: sdk.Step[]): string[] => steps.map(({ name }) => name);

describe('what virsh says of addresses', () => {
  const [one, two] = ['1', '2'].map((digit) => `${digit}1111111-2222-4333-8444-555555555555`);
  const text = fixture('addresses');
  it('gives each machine its own', () => {
    expect(parseAddresses(text)).toEqual([
      { id: one, addresses: ['192.168.122.223', 'fd00::5'] },
      { id: two, addresses: [] },
    ]);
    expect(parseAddresses('qemu:///system\n')).toEqual([]);
  });
  it.each([
    ['nothing, as when nobody answers', ''],
    ['a warning', text.replace('\n', '\nwarning: something\n')],
    ['an address that is none', text.replace('122.223', '122.333')],
    ['something else about a machine', text.replace('vnet0', 'no vnet0')],
  ])('is an error with %s', (_title, wrong) => {
    expect(() => parseAddresses(wrong)).toThrow();
  });
});

describe('what virsh says of all machines', () => {
  it('gives each its id and whether it is on', () => {
    expect(parseDomains(fixture('domains'))).toEqual([
      { id: '11111111-2222-4333-8444-555555555555', name: 'web', status: 'running' },
      { id: '21111111-2222-4333-8444-555555555555', name: 'odd name "x', status: 'stopped' },
      { id: '31111111-2222-4333-8444-555555555555', name: 'gone', status: 'crashed' },
    ]);
  });
  it('is saved when it is off and its memory was kept', () => {
    const [web, odd] = ['1', '2'].map((digit) => `${digit}1111111-2222-4333-8444-555555555555`);
    const text = fixture('domains').replace(/^Domain/m, `${web}\n${odd}\n\nDomain`);
    // A file of one that is on is left from before.
    expect(parseDomains(text).map(({ status }) => status)).toEqual(['running', 'saved', 'crashed']);
  });
  it('is waited for while libvirt saves its memory or brings it back, whoever has asked for that', async () => {
    const id = '11111111-2222-4333-8444-555555555555';
    const at = (state: number, reason: number, file = '') =>
      fixture('domains')
        .replace('state=1\n  state.reason=1', `state=${state}\n  state.reason=${reason}`)
        .replace(/^Domain/m, `${file}\n\nDomain`);
    const told = async (text: string): Promise<string[]> => {
      const read = () => Promise.resolve({ stdout: text, stderr: '', exitCode: 0 });
      const context = { read } as unknown as PluginContext;
      const { running, status } = looksOf(sdk);
      const seen = await Promise.all([running(context, { id }), status(context, { id, is: 'saved' })]);
      return seen.map((one) => one.status);
    };
    const waits = ['running', 'running'];
    // virDomainPausedReason: 3 it is being saved, 11 it is starting; with its file still there, it is being restored.
    expect([await told(at(3, 3)), await told(at(3, 11)), await told(at(3, 2, id))]).toEqual([
      waits,
      waits,
      waits,
    ]);
    // Saved while it was paused, and brought back: it stays paused.
    expect(await told(at(3, 2))).toEqual(['done', 'absent']);
    expect([await told(at(1, 1, id)), await told(at(5, 1, id))]).toEqual([
      ['done', 'absent'],
      ['absent', 'done'],
    ]);
  });
  it('may be nothing at all, and more than is needed', () => {
    expect(parseDomains(fixture('none'))).toEqual([]);
    expect(parseDomains(fixture('more-stats'))).toMatchObject([{ name: 'web', status: 'paused' }]);
  });
  it('leaves out what came or went between its two answers', () => {
    expect(parseDomains(fixture('domains').replace(/^1111.*\n/, ''))).toHaveLength(2);
    expect(parseDomains(fixture('domains').replace(/Domain: 'web'[^]*?\n\n/, ''))).toHaveLength(2);
  });
  it.each([
    ['a warning before it', `warning: something\n${fixture('domains')}`],
    ['a state that is not known', fixture('domains').replace('state.state=1', 'state.state=9')],
    ['no state', fixture('domains').replace('  state.state=1\n', '')],
    ['an id that is none', fixture('domains').replace('11111111-2222', '1111')],
    ['JSON', '{"domains": []}'],
  ])('is an error with %s, never "no machine"', (_title, text) => {
    expect(() => parseDomains(text)).toThrow();
  });
  it('never makes machines of garbage', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        try {
          expect(parseDomains(text)).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

describe('the definition of a domain', () => {
  const parse = (text: string) => new DOMParser().parseFromString(text, 'text/xml');
  const of = (change: Partial<VmSpec> = {}) => parse(domainXml(sdk, { ...spec, ...change }));
  const attribute = (document: ReturnType<typeof of>, tag: string, name: string) =>
    [...document.getElementsByTagName(tag)].map((element) => element.getAttribute(name));

  it('has the machine as it was asked for', () => {
    const document = of();
    const text = (tag: string) => document.getElementsByTagName(tag)[0]?.textContent;
    expect(attribute(document, 'domain', 'type')).toEqual(['kvm']);
    expect([text('name'), text('uuid'), text('memory'), text('vcpu')]).toEqual([
      ...['web', spec.id, String(1024 ** 3), '2'],
    ]);
    expect(attribute(document, 'source', 'file').filter(Boolean)).toEqual([spec.diskPath, spec.seedPath]);
    expect(attribute(document, 'cpu', 'mode')).toEqual(['host-passthrough']);
    expect(document.getElementsByTagName('seclabel')).toHaveLength(0);
  });
  it('emulates where the processor does not help, and starts from an installer after its empty disk', () => {
    const document = of({
      virtType: 'qemu',
      cdPath: '/mnt/tank/images/live.iso',
      seedPath: null,
      asRoot: true,
    });
    expect(attribute(document, 'domain', 'type')).toEqual(['qemu']);
    expect(attribute(document, 'boot', 'order')).toEqual(['1', '2']);
    expect(document.getElementsByTagName('seclabel')).toHaveLength(1);
  });
  it('keeps whatever is in a path or a name as text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~äß]{1,40}$/), (path) => {
        const document = of({ diskPath: `/${path}`, name: path });
        expect(attribute(document, 'source', 'file')[0]).toBe(`/${path}`);
        expect(document.getElementsByTagName('name')[0]?.textContent).toBe(path);
      }),
    );
  });
  it('refuses what XML cannot hold', () => {
    expect(() => domainXml(sdk, { ...spec, name: 'a\u0000b' })).toThrow();
  });
  it('has an address that follows from the id, of those that QEMU uses', () => {
    expect(macOf(sdk, spec.id, 1)).toBe('52:54:00:3f:0d:9c');
  });
});

describe('the plan of a machine', () => {
  it('keeps to its own folder and its own programs', () => {
    expect(() => checkShape(plugin, 'libvirt')).not.toThrow();
    for (const steps of [
      plugin.create(spec, origin),
      plugin.destroy(spec, { keepFolder: false }),
      plugin.start(spec),
      plugin.stop(spec, { fromMs: 0, untilMs: 60_000 }),
      plugin.reset(spec),
      plugin.pause(spec),
      plugin.resume(spec),
      plugin.memory.save(spec),
      plugin.memory.restore(spec),
      plugin.memory.discard(spec),
    ])
      expect(checkVmPlan(plugin, spec, steps)).toBe(steps);
    const [first] = plugin.create(spec, origin);
    if (!first) throw new Error('no step');
    const outside = { ...first, run: { do: 'remove-file', path: '/mnt/tank/machines/other/disk' } } as const;
    expect(() => checkVmPlan(plugin, spec, [outside])).toThrow(/outside of the machine's folder/);
    const above = { ...first, run: { do: 'remove-directory', path: '/mnt/tank/machines' } } as const;
    expect(() => checkVmPlan(plugin, spec, [above])).toThrow(/outside of the machine's folder/);
    const shell: sdk.Step = { ...first, run: { do: 'exec', program: '/bin/sh', argv: [] } };
    expect(() => checkVmPlan(plugin, spec, [shell])).toThrow(/does not declare/);
  });
  it('comes back with its definition and its snapshots, parents first, and keeps what only it has', () => {
    const snapshots = ['one', 'two'].map((name) => ({ name, xml: `<${name}/>`, isCurrent: name === 'two' }));
    const facts = { definition: '<domain><tpm/></domain>', snapshots };
    const [forget] = plugin.shelve.forget(spec, facts);
    expect(forget?.run).toHaveProperty(
      'argv',
      expect.arrayContaining(['undefine', '--snapshots-metadata', '--keep-nvram', '--keep-tpm']),
    );
    const recall = plugin.shelve.recall(spec, facts);
    expect(names(recall)).toEqual(['define', 'recall-snapshot-1', 'recall-snapshot-2']);
    // Taken back, it is exactly as when it is brought back.
    expect(forget?.undo).toEqual(recall.map(({ run }) => run));
    expect(recall.at(-1)?.run).toHaveProperty('argv', expect.arrayContaining(['--redefine', '--current']));
    for (const steps of [plugin.shelve.forget(spec, facts), recall])
      expect(checkVmPlan(plugin, spec, steps)).toBe(steps);
    expect(plugin.shelve.forget(spec, null)).toEqual([]);
    expect(names(plugin.shelve.recall(spec, null))).toEqual(['define']);
  });
  it('keeps the memory of what does not shut down in time, when that is asked for, and never switches it off', () => {
    const steps = plugin.stop(spec, { fromMs: 0, untilMs: 60_000 }, 'save');
    expect(names(steps).at(-1)).toBe('save-if-on');
    expect(JSON.stringify(steps)).not.toContain('"destroy"');
    expect(checkVmPlan(plugin, spec, steps)).toBe(steps);
  });
  it('takes back everything that it makes', () => {
    const undone = plugin.create(spec, origin).filter(({ undo }) => Array.isArray(undo) && undo.length > 0);
    expect(names(undone)).toEqual([
      ...['make-folder', 'make-volume', 'write-user-data', 'write-meta-data', 'make-seed', 'define'],
    ]);
  });
  it('gives a copy the asked size, and an installer an empty disk', () => {
    const copied = plugin.create(spec, { ...origin, image: { path: '/i.raw', format: 'raw', how: 'copy' } });
    expect(names(copied)).toContain('size-volume');
    const empty = plugin.create(spec, { image: null, seed: null });
    const volume = empty.find(({ name }) => name === 'make-volume')?.run;
    expect(volume && 'argv' in volume && volume.argv).toEqual([
      ...['create', '-q', '-f', 'qcow2', spec.diskPath, String(spec.diskBytes)],
    ]);
    expect(names(empty)).not.toContain('make-seed');
  });
  it('presses the power button again while there is time, less and less often', () => {
    const waits = (seconds: number) =>
      plugin
        .stop(spec, { fromMs: 1_000, untilMs: 1_000 + seconds * 1_000 })
        .flatMap(({ look }) =>
          'untilMs' in look.args ? [(Number(look.args['untilMs']) - 1_000) / 1_000] : [],
        );
    expect(waits(60)).toEqual([5, 10, 20, 40, 60]);
    expect(waits(3)).toEqual([3]);
    expect(waits(3_600)).toHaveLength(11);
    expect(names(plugin.stop(spec, { fromMs: 0, untilMs: 8_000 }))).toEqual([
      ...['ask-to-shut-down', 'wait-for-it', 'ask-again-1', 'wait-again-1', 'switch-off'],
    ]);
    expect(names(plugin.stop(spec, null))).toEqual(['switch-off']);
  });
  it('is stopped as well when it goes off by itself at the moment it is told to', () => {
    const commands = plugin
      .stop(spec, { fromMs: 0, untilMs: 5 })
      .flatMap(({ run }) => (run.do === 'exec' ? [run] : []));
    expect(commands.map(({ okExitCodes }) => okExitCodes)).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });
  it('never loses what a saved machine had in memory when its start is taken back', () => {
    const restore = plugin.memory.restore(spec).at(-1);
    const [save] = plugin.memory.save(spec);
    expect(restore?.undo).toEqual([save?.run]);
    expect(JSON.stringify(plugin.memory.restore(spec))).not.toContain('"destroy"');
  });
  it('takes back a pause by letting it go on, and the other way round', () => {
    const [pause] = plugin.pause(spec);
    const [resume] = plugin.resume(spec);
    expect(pause?.undo).toEqual([resume?.run]);
    expect(resume?.undo).toEqual([pause?.run]);
  });
  it('never touches the image, and leaves a folder in which others have files', () => {
    const steps = JSON.stringify(plugin.destroy(spec, { keepFolder: true }));
    expect(steps).not.toContain('debian.qcow2');
    expect(steps).not.toContain('remove-directory');
  });
});

describe('another size of a machine', () => {
  const had = {
    ...{ 'vcpu.current': 2, 'vcpu.maximum': 2, 'balloon.current': 1024, 'balloon.maximum': 1024 },
    ...{
      definition: readFileSync('test/fixtures/virsh/9.0-definition.xml', 'utf8'),
      why: null,
      topology: null,
    },
  };
  const plan = (cpus: number, kib: number, facts = had) =>
    plugin.resize.plan(spec, { cpus, memoryBytes: kib * 1024, topology: null }, facts);

  it('never has it with more than it can have, forward and back', () => {
    expect(names(plan(4, 2048))).toEqual(['set-most-cpus', 'set-cpus', 'set-most-memory', 'set-memory']);
    expect(names(plan(1, 512))).toEqual(['set-cpus', 'set-most-cpus', 'set-memory', 'set-most-memory']);
    expect(names(plan(2, 2048))).toEqual(['set-most-memory', 'set-memory']);
    expect(names(plan(2, 1024))).toEqual([]);
  });
  it('is taken back to what it really had, also when that is not what Cairn made', () => {
    const [, current] = plan(4, 1024, { ...had, 'vcpu.current': 1 });
    const undo = current && Array.isArray(current.undo) ? current.undo[0] : undefined;
    expect(undo && 'argv' in undo && undo.argv.slice(-3)).toEqual([spec.id, '1', '--config']);
    expect(checkVmPlan(plugin, spec, plan(4, 2048))).toHaveLength(4);
  });
  it('is read from what virsh tells, and never guessed', () => {
    expect(parseSize(fixture('size'))).toEqual({
      ...{ 'vcpu.current': 1, 'vcpu.maximum': 1, 'balloon.current': 32768, 'balloon.maximum': 32768 },
    });
    expect(() => parseSize(fixture('size').replace('vcpu.maximum=1', 'vcpu.maximum=many'))).toThrow(
      /vcpu.max/,
    );
    expect(() => parseSize(fixture('none'))).toThrow(/vcpu.current/);
  });
});

describe('a larger disk', () => {
  const [disk] = sdk.disksOf(spec);
  if (!disk) throw new Error('no disk');
  const command = (isOn: boolean) => {
    const [step] = checkVmPlan(plugin, spec, plugin.disks.grow(spec, disk, 20 * 1024 ** 3, isOn));
    return step?.run.do === 'exec' ? [step.run.program, ...step.run.argv] : [];
  };
  it('is made by QEMU itself while the machine is on, else by its tool, which never makes one smaller', () => {
    expect(command(true).slice(-4)).toEqual(['blockresize', spec.id, spec.diskPath, '21474836480B']);
    expect(command(false)).toEqual([
      ...['/usr/bin/qemu-img', 'resize', '-q', '-f', 'qcow2', spec.diskPath, '21474836480'],
    ]);
  });
  it('stays: its guest may use it already', () => {
    expect(plugin.disks.grow(spec, disk, 1, true).map(({ undo }) => undo)).toEqual([[]]);
  });
  it('is there, not yet there, or larger than asked for, which nothing makes smaller', async () => {
    const says = (stdout: string) =>
      ({ read: () => Promise.resolve({ stdout, stderr: '', exitCode: 0 }) }) as unknown as PluginContext;
    const status = async (is: number) =>
      (await looksOf(sdk)['disk-size'](says('{"virtual-size": 1000}'), { path: '/d', is })).status;
    expect([await status(1_000), await status(1_001), await status(999)]).toEqual([
      ...['done', 'absent', 'foreign'],
    ]);
    await expect(plugin.disks.sizeOf(says('{}'), disk)).rejects.toThrow(/does not tell the size/);
  });
});

describe('one more disk', () => {
  const disk: VmDisk = { slot: 2, path: '/mnt/tank/machines/web/disk-2.qcow2', sizeBytes: 1024 ** 3 };
  const { add, remove } = plugin.disks;
  const twoDisks = readFileSync('test/fixtures/virsh/9.0-two-disks.xml', 'utf8');

  it('is made and attached, plugged in only where the machine is on, and taken back before that', () => {
    const off = checkVmPlan(plugin, spec, add(spec, disk, false));
    expect(names(off)).toEqual(['make-volume', 'attach']);
    const [volume, attach] = off;
    expect(volume?.undo).toEqual([{ do: 'remove-file', path: disk.path }]);
    const stdin = attach?.run.do === 'exec' ? (attach.run.stdin ?? '') : '';
    expect(sdk.parseXml(stdin).children.map(({ attributes }) => attributes)).toContainEqual({
      ...{ dev: 'vdb', bus: 'virtio' },
    });
    const on = checkVmPlan(plugin, spec, add(spec, disk, true));
    expect(names(on)).toEqual(['make-volume', 'attach', 'plug-in']);
    expect(on.at(-1)?.undo).toEqual([]);
  });
  it('is deleted last, when neither the definition nor the guest has it any more', () => {
    expect(names(checkVmPlan(plugin, spec, remove(spec, disk, null)))).toEqual([
      ...['wait-for-guest', 'detach', 'remove-volume'],
    ]);
    const on = checkVmPlan(plugin, spec, remove(spec, disk, 5_000));
    expect(names(on)).toEqual(['unplug', 'wait-for-guest', 'detach', 'remove-volume']);
    const undone = on.map(({ undo }) => (Array.isArray(undo) ? undo.length : undo));
    expect(undone).toEqual([1, 'nothing', 1, 'impossible']);
  });
  it('is in the definition of a machine that is made known again, and goes with the machine', () => {
    const more = { ...spec, moreDisks: [disk] };
    const domain = sdk.parseXml(domainXml(sdk, more));
    expect(devicesIn(domain).disks.map(({ target, path }) => [target, path])).toEqual([
      ['vda', spec.diskPath],
      ['vdb', disk.path],
      ['sda', null],
      ['sdb', spec.seedPath],
    ]);
    const deleted = plugin
      .destroy(more, { keepFolder: true })
      .flatMap(({ run }) => (run.do === 'remove-file' ? [run.path] : []));
    expect(deleted).toContain(disk.path);
  });
  it('is told from what a machine has in its place, and from its file elsewhere', async () => {
    const has = async (target: string, path: string) => {
      const context = {
        read: () => Promise.resolve({ stdout: twoDisks, stderr: '', exitCode: 0 }),
      } as unknown as PluginContext;
      return (await looksOf(sdk).disk(context, { id: spec.id, target, path, where: 'config' })).status;
    };
    expect(await has('vdb', '/mnt/tank/machines/web/disk-2.qcow2')).toBe('done');
    expect(await has('vdc', '/mnt/tank/machines/web/disk-3.qcow2')).toBe('absent');
    expect(await has('vdb', '/mnt/tank/machines/web/disk-3.qcow2')).toBe('foreign');
    expect(await has('vdc', '/mnt/tank/machines/web/disk-2.qcow2')).toBe('foreign');
    expect(await has('sda', '/mnt/tank/machines/web/disk-2.qcow2')).toBe('foreign');
  });
  it('is never taken for gone in what is no definition', () => {
    expect(devicesIn(sdk.parseXml(twoDisks)).disks).toContainEqual({ target: 'sda', isCd: true, path: null });
    expect(() => devicesIn(sdk.parseXml('<network/>'))).toThrow(/network/);
    expect(() => sdk.parseXml('error: something')).toThrow();
    expect(() => sdk.parseXml('<domain><devices></domain>')).toThrow();
  });
  it('is with a guest only while that is on, and waited for as long as there is time', async () => {
    const running = twoDisks.replace("<domain type='qemu'", "<domain type='qemu' id='1'");
    const status = async (stdout: string, untilMs: number) => {
      const context = { read: () => Promise.resolve({ stdout, stderr: '', exitCode: 0 }) };
      const args = { id: spec.id, path: disk.path, untilMs };
      return (await looksOf(sdk)['let-go'](context as unknown as PluginContext, args)).status;
    };
    expect([
      await status(twoDisks, 0),
      await status(running, 0),
      await status(running, Date.now() + 60_000),
      await status(running.replace('disk-2', 'disk-3'), 0),
    ]).toEqual(['done', 'absent', 'running', 'done']);
  });
  it('has no more slots than letters that are used for them', () => {
    expect(targetOf({ slot: plugin.disks.most({}) })).toBe('vdh');
  });
});

describe('a machine with devices that every system knows', () => {
  const { disksOf } = sdk;
  const common: VmSpec = {
    ...{ ...spec, devices: 'common', seedPath: null },
    moreDisks: [2, 3, 4, 5].map((slot) => ({
      slot,
      path: `/mnt/tank/machines/web/disk-${slot}.qcow2`,
      sizeBytes: 1,
    })),
  };
  const all = (nodes: sdk.XmlNode[]): sdk.XmlNode[] => nodes.flatMap((node) => [node, ...all(node.children)]);
  const nodes = all([sdk.parseXml(domainXml(sdk, common))]);
  const of = (name: string): sdk.XmlNode[] => nodes.filter((node) => node.name === name);

  it('has SATA disks at places of their own, beside the drive for CDs, and an Intel card', () => {
    const targets = of('disk').map((disk) => sdk.childOf(disk, 'target')?.attributes);
    expect(targets.map((target) => target?.['bus'])).toEqual(targets.map(() => 'sata'));
    const units = of('disk').map((disk) => sdk.childOf(disk, 'address')?.attributes['unit'] ?? '0');
    expect(units).toEqual(['1', '2', '3', '4', '5', '0']);
    expect(of('interface').map((card) => sdk.childOf(card, 'model')?.attributes['type'])).toEqual(['e1000e']);
  });
  it('has no more disks than the controller has places, and they come and go while it is off', () => {
    expect(plugin.disks.most(common)).toBe(disksOf(common).length);
    expect(plugin.disks.whyOff?.(common)).toContain('off');
    expect(plugin.disks.whyOff?.(spec)).toBeNull();
  });
});

describe('a network that cloud-init is told of', () => {
  const steps = plugin.create(spec, {
    image: null,
    seed: { userData: 'u', metaData: 'm', networkConfig: 'version: 2\n', secretPath: null },
  });
  it('is a file of the seed, and goes with the machine', () => {
    expect(names(checkVmPlan(plugin, spec, steps))).toContain('write-network-config');
    expect(JSON.stringify(steps.find(({ name }) => name === 'make-seed')?.run)).toContain(
      '"-map","/mnt/tank/machines/web/network-config","/network-config"',
    );
    const gone = (more: Partial<VmSpec>) =>
      names(plugin.destroy({ ...spec, ...more }, { keepFolder: false }));
    expect(gone({ seedNetwork: { addresses: [] } })).toContain('remove-network-config');
    expect(gone({})).not.toContain('remove-network-config');
  });
});

describe('a network card', () => {
  const { cards } = plugin;
  const macs = (change: Partial<VmSpec>) =>
    devicesIn(sdk.parseXml(domainXml(sdk, { ...spec, ...change }))).macs;

  it('has an address of its own, always the same', () => {
    const all = [1, 2, 3, 4].map((slot) => cards.macOf(spec, slot));
    expect(new Set(all).size).toBe(4);
    expect(all).toEqual([1, 2, 3, 4].map((slot) => cards.macOf(spec, slot)));
    for (const mac of all) expect(mac).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/);
  });
  it('is in the definition: the first of a machine that says nothing of cards, else those that it has', () => {
    expect(macs({})).toEqual([macOf(sdk, spec.id, 1)]);
    expect(macs({ cards: [] })).toEqual([]);
    expect(macs({ cards: [{ slot: 2, mac: '52:54:00:00:00:02' }] })).toEqual(['52:54:00:00:00:02']);
  });
  it('is plugged in where the machine is on, and taken from its guest before its definition', () => {
    const card = { slot: 2, mac: cards.macOf(spec, 2) };
    expect(names(checkVmPlan(plugin, spec, cards.add(spec, card, false)))).toEqual(['attach']);
    expect(names(cards.add(spec, card, true))).toEqual(['start-network', 'attach', 'plug-in']);
    expect(names(checkVmPlan(plugin, spec, cards.remove(spec, card, 5_000)))).toEqual([
      ...['unplug', 'wait-for-guest', 'detach'],
    ]);
  });
  it('is plugged into a bridge of the host when it is to, and needs no network of libvirt then', () => {
    const card = { slot: 2, mac: '52:54:00:00:00:02', bridge: 'br0' };
    expect(domainXml(sdk, { ...spec, cards: [card] })).toContain(
      '<interface type="bridge"><mac address="52:54:00:00:00:02"/><source bridge="br0"/><model type="virtio"/></interface>',
    );
    expect(names(cards.add(spec, card, true))).toEqual(['attach', 'plug-in']);
    expect(names(plugin.start({ ...spec, cards: [card] }))).toEqual(['define', 'start']);
    expect(names(plugin.start({ ...spec, cards: [{ slot: 1, mac: card.mac }, card] }))).toEqual([
      ...['define', 'start-network', 'start'],
    ]);
  });
  it('is plugged in elsewhere with everything that somebody gave it, and taken back to the same', () => {
    const had =
      '<interface type="network"><mac address="52:54:00:00:00:01"/><source network="default"/><model type="e1000"/><bandwidth><inbound average="1"/></bandwidth></interface>';
    const from = { slot: 1, mac: '52:54:00:00:00:01' };
    const to = { ...from, bridge: 'br0' };
    const steps = checkVmPlan(plugin, spec, cards.move(spec, from, to, { config: had, on: had }, true));
    expect(names(steps)).toEqual(['replug', 'replug-now']);
    expect(steps[0]).toMatchObject({
      run: {
        stdin: had
          .replace('type="network"', 'type="bridge"')
          .replace('network="', 'bridge="')
          .replace('default', 'br0'),
      },
      undo: [{ stdin: had }],
      look: { args: { is: 'br0', was: null } },
    });
    expect(names(cards.move(spec, to, from, { config: had, on: null }, false))).toEqual([
      ...['start-network', 'replug'],
    ]);
    expect(() => cards.move(spec, from, to, { config: null, on: null }, false)).toThrow('does not have');
  });
  it('is told by its address from what the machine has', async () => {
    const stdout = readFileSync('test/fixtures/virsh/9.0-two-disks.xml', 'utf8');
    const context = { read: () => Promise.resolve({ stdout, stderr: '', exitCode: 0 }) };
    const status = async (mac: string) =>
      (
        await looksOf(sdk).card(context as unknown as PluginContext, {
          ...{ id: spec.id, mac, where: 'config' },
        })
      ).status;
    expect([await status('52:54:00:3f:0d:9c'), await status('52:54:00:00:00:02')]).toEqual([
      ...['done', 'absent'],
    ]);
  });
});

describe('a CD', () => {
  const change = (path: string | null, drive: VmCdDrive | null, isOn: boolean) =>
    checkVmPlan(plugin, spec, plugin.cd.change(spec, path, drive, isOn));
  const commands = (steps: sdk.Step[]) =>
    steps.map(({ run, undo }) =>
      [run, ...(Array.isArray(undo) ? undo : [])].map((act) =>
        act.do === 'exec' ? act.argv.slice(5).join(' ') : act.do,
      ),
    );
  it('is changed for every start and for now, each taken back to what was there', () => {
    expect(commands(change('/b.iso', { config: '/a.iso', now: null }, true))).toEqual([
      ['sda --source /b.iso --update --config', 'sda --source /a.iso --update --config'],
      ['sda --source /b.iso --update --live', 'sda --eject --live'],
    ]);
    expect(names(change(null, { config: '/a.iso', now: null }, true))).toEqual(['change']);
    expect(names(change('/a.iso', { config: '/a.iso', now: '/a.iso' }, true))).toEqual([]);
  });
  it('comes with a drive where there is none', () => {
    const [drive, cd] = change('/a.iso', null, false);
    expect([drive?.name, cd?.name]).toEqual(['add-drive', 'change']);
    expect(drive?.run.do === 'exec' && drive.run.stdin).toContain('cdrom');
  });
  it('is read from the drive, and is foreign when it is neither what was nor what is to be there', async () => {
    const says = (name: string, change = (text: string): string => text) =>
      ({
        read: () =>
          Promise.resolve({
            ...{ stderr: '', exitCode: 0 },
            stdout: change(readFileSync(`test/fixtures/virsh/9.0-${name}.xml`, 'utf8')),
          }),
      }) as unknown as PluginContext;
    const empty = says('two-disks');
    const other = says('two-disks', (text) => text.replace('cdrom', 'disk'));
    expect(await plugin.cd.read(empty, spec)).toEqual({ config: null, now: null });
    expect(await plugin.cd.read(other, spec)).toBeNull();
    const status = async (context: PluginContext, is: string | null, was: string | null) =>
      (await looksOf(sdk).cd(context, { id: spec.id, target: 'sda', where: 'config', is, was })).status;
    expect([
      await status(empty, null, '/a.iso'),
      await status(empty, '/a.iso', null),
      await status(empty, '/a.iso', '/b.iso'),
      await status(other, null, null),
    ]).toEqual(['done', 'absent', 'foreign', 'foreign']);
  });
});

describe('what is seen of a machine', () => {
  const looks = looksOf(sdk);
  const says = (stdout: string) =>
    ({ read: async () => ({ stdout, stderr: '', exitCode: 0 }) }) as unknown as PluginContext;
  const context = says(fixture('domains'));
  const id = (digit: number) => `${digit}1111111-2222-4333-8444-555555555555`;

  it('is on, off, or not known', async () => {
    expect((await looks.running(context, { id: id(1) })).status).toBe('done');
    expect((await looks.running(context, { id: id(3) })).status).toBe('absent');
    expect((await looks.running(context, { id: id(9) })).status).toBe('absent');
  });
  it('is in one status and no other', async () => {
    expect((await looks.status(context, { id: id(1), is: 'running' })).status).toBe('done');
    expect((await looks.status(context, { id: id(1), is: 'paused' })).status).toBe('absent');
    expect((await looks.status(context, { id: id(9), is: 'paused' })).status).toBe('absent');
  });
  it('is somebody else when only its name is known', async () => {
    expect((await looks.defined(context, { id: id(1), name: 'web' })).status).toBe('done');
    expect((await looks.defined(context, { id: id(9), name: 'web' })).status).toBe('foreign');
    expect((await looks.defined(context, { id: id(9), name: 'other' })).status).toBe('absent');
  });
  it('has the size that it was to get, the one that it had, or one that nobody asked for', async () => {
    const ask = (is: number, was: number) =>
      looks.size(says(fixture('size')), { id: id(1), field: 'vcpu.current', is, was });
    expect((await ask(1, 2)).status).toBe('done');
    expect((await ask(2, 1)).status).toBe('absent');
    expect((await ask(3, 2)).status).toBe('foreign');
  });
  it('is waited for until its time is over', async () => {
    const ask = (digit: number, untilMs: number) =>
      looks['shut-down'](context, { id: id(digit), untilMs, endMs: untilMs }).then(({ status }) => status);
    expect(await ask(1, Date.now() + 60_000)).toBe('running');
    expect(await ask(1, Date.now() - 1)).toBe('done');
    expect(await ask(3, Date.now() + 60_000)).toBe('done');
  });
});

describe('the help of the processor', () => {
  it('is not believed before it was tried', async () => {
    const fails = {
      read: () => Promise.reject(new Error('qemu ended\nfailed to initialize kvm: Permission denied')),
    } as unknown as PluginContext;
    const answer = await acceleration(fails);
    expect(answer.virtType).toBe('qemu');
    expect('reason' in answer && answer.reason).toMatch(/dev\/kvm|Permission denied/);
  });
});

describe('what an event says of a machine', () => {
  it.each([
    ['Started Booted', 'running'],
    ['Resumed Unpaused', 'running'],
    ['Suspended Paused', 'paused'],
    ['Stopped Shutdown', 'stopped'],
    ['Stopped Destroyed', 'stopped'],
    ['Stopped Crashed', 'crashed'],
    ['Stopped Saved', 'saved'],
  ])('%s', (words, status) => {
    expect(hearsDomain(`event 'lifecycle' for domain 'web': ${words}`)).toEqual({ name: 'web', status });
  });
  it.each([
    ["event 'lifecycle' for domain 'web': Stopped Failed"],
    ["event 'lifecycle' for domain 'web': Stopped From snapshot"],
    ["event 'lifecycle' for domain 'web': Shutdown Finished after guest request"],
    ["event 'lifecycle' for domain 'web': Defined Updated"],
    ["event 'agent-lifecycle' for domain 'web': state: 'connected' reason: 'channel event'"],
    ['test:///default'],
  ])('nothing for certain: %s', (line) => {
    expect(hearsDomain(line)).toBeNull();
  });
});
