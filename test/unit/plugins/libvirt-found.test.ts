import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { VmSpec } from '$lib/plugin-api/vm';
import { AppError } from '$lib/server/errors';
import { checkVmPlan } from '$lib/server/plugins/plan-check';
import { parseFound } from '$plugins/libvirt/parse-found';
import makePlugin from '$plugins/libvirt/plugin.server';

const definition = readFileSync('test/fixtures/virsh/9.0-definition.xml', 'utf8').trimEnd();
const own = sdk.parseXml(definition);
const [id = '', name = ''] = ['uuid', 'name'].map((field) => sdk.childOf(own, field)?.text ?? '');

const other = `<domain type='kvm'>
  <name>other</name>
  <uuid>11111111-2222-4333-8444-555555555555</uuid>
  <metadata>
    <x:domain xmlns:x='urn:x'>
    </x:domain>
  </metadata>
  <memory unit='KiB'>2048</memory>
  <vcpu current='1'>4</vcpu>
  <cpu><topology sockets='2' dies='1' cores='2' threads='1'/></cpu>
  <devices>
    <disk type='block' device='disk'>
      <driver name='qemu' type='raw'/>
      <source dev='/dev/disk/by-id/x'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='network' device='disk'>
      <source protocol='rbd' name='pool/image'/>
      <target dev='sdc' bus='scsi'/>
    </disk>
    <disk type='volume' device='disk'>
      <source pool='default' volume='x.qcow2'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <source file='/iso/x.iso'/>
      <target dev='hda' bus='ide'/>
    </disk>
    <interface type='bridge'>
      <mac address='52:54:00:AA:00:01'/>
      <source bridge='br0'/>
    </interface>
  </devices>
</domain>`;
const sizes = `Domain: 'other'
  block.count=2
  block.0.name=vda
  block.0.path=/dev/disk/by-id/x
  block.0.capacity=1048576
  block.1.name=sdc
`;

describe('what virsh says of machines that somebody else has made', () => {
  it('tells each with its disks, sizes, drives and cards, and which of them are gone when they go off', () => {
    const text = `11111111-2222-4333-8444-555555555555\n\n${definition}\n\n${other}\n\n${sizes}`;
    const [first, second] = parseFound(sdk, text);
    expect(first).toMatchObject({ id, name, isTransient: false });
    expect(first?.disks[0]).toMatchObject({ target: 'vda', slot: 1 });
    expect(second).toEqual({
      ...{ id: '11111111-2222-4333-8444-555555555555', name: 'other', cpus: 1, memoryBytes: 2 * 1024 ** 2 },
      ...{ firmware: null, tpm: false },
      ...{ virtType: 'kvm', isTransient: true, topology: { sockets: 2, cores: 2, threads: 1 } },
      disks: [
        { target: 'vda', source: '/dev/disk/by-id/x', path: null, sizeBytes: 1048576, slot: null },
        { target: 'sdc', source: 'rbd: pool/image', path: null, sizeBytes: null, slot: null },
        {
          ...{ target: 'vdb', source: 'the volume x.qcow2 of libvirt’s pool default' },
          ...{ path: null, sizeBytes: null, slot: null },
        },
      ],
      media: [{ target: 'hda', path: '/iso/x.iso' }],
      cards: [{ mac: '52:54:00:aa:00:01', network: 'bridge br0', isOurs: false, bridge: 'br0' }],
    });
  });
  it('knows the machines that were given devices that every system knows, as this plugin makes them', () => {
    const common = definition.replace(/(<target dev='vd\w' bus=)'virtio'/g, "$1'sata'");
    const [found] = parseFound(sdk, `\n\n${common}\n\n`);
    expect(found).toMatchObject({ devices: 'common' });
    expect(found?.disks[0]).toMatchObject({ target: 'vda', slot: 1 });
    const somebodys = common.replaceAll("<target dev='vd", "<target dev='sd");
    const [theirs] = parseFound(sdk, `\n\n${somebodys}\n\n`);
    expect(theirs?.devices).toBeUndefined();
    expect(theirs?.disks[0]).toMatchObject({ target: 'sda', slot: null });
  });
  it('tells the processor where one was chosen, not the one that the host happens to have', () => {
    const of = (cpu: string) =>
      parseFound(sdk, `\n\n${other.replace(/<cpu>.*<\/cpu>/, cpu)}\n\n`)[0]?.cpuModel;
    expect(of("<cpu mode='custom' match='exact'><model fallback='forbid'>Nehalem</model></cpu>")).toBe(
      'Nehalem',
    );
    expect(of("<cpu mode='host-model'><model fallback='allow'>Nehalem</model></cpu>")).toBeUndefined();
  });
  it('takes a card with a tag, or of a switch of its own, for more than one on a bridge', () => {
    for (const more of ["<virtualport type='openvswitch'/>", "<vlan><tag id='4'/></vlan>"]) {
      const text = other.replace("<source bridge='br0'/>", `<source bridge='br0'/>${more}`);
      expect(parseFound(sdk, `\n\n${text}\n\n`)[0]?.cards).toMatchObject([{ isOurs: false, bridge: null }]);
    }
  });
  it('is nothing when all of them have gone meanwhile', () => {
    expect(parseFound(sdk, '\n')).toEqual([]);
  });
  it('is refused when a definition lacks what every machine has', () => {
    expect(() => parseFound(sdk, other.replace(/<vcpu.*vcpu>/, ''))).toThrow(/no domain/);
    expect(() => parseFound(sdk, other.replace("unit='KiB'", ''))).toThrow(/memory/);
  });
});

describe('the plans of an adopted machine', () => {
  const plugin = makePlugin(sdk);
  const spec: VmSpec = {
    ...{ id, name: 'web', cpus: 1, memoryBytes: 1, virtType: 'qemu', folder: '', diskPath: '', diskBytes: 0 },
    ...{ cards: [], seedPath: null, cdPath: null, asRoot: false },
    adopted: {
      disks: [{ target: 'vda', source: '/x/a.img', path: '/x/a.img', sizeBytes: 1, counted: false }],
      needs: [],
    },
  };
  it('change its note and nothing else, and take that back', () => {
    const [keep] = plugin.adopt?.keep(spec) ?? [];
    const [giveUp] = plugin.adopt?.giveUp(spec) ?? [];
    expect(keep?.run).toMatchObject({ argv: expect.arrayContaining(['metadata', '--set', '<machine/>']) });
    expect(keep?.undo).toEqual([giveUp?.run]);
    expect(giveUp?.look).toEqual({ ...keep?.look, negate: true });
  });
  it('start it as its engine has it, on its own networks, and delete no file with it', () => {
    expect(plugin.start(spec).map(({ name: step }) => step)).toEqual(['start']);
    expect(plugin.start({ ...spec, cards: [{ slot: 1, mac: 'x' }] })[0]?.name).toBe('start-network');
    const all = plugin.destroy(spec, { keepFolder: false });
    expect(all.map(({ name: step }) => step)).toEqual(['switch-off', 'undefine']);
    expect(all[1]?.run).toMatchObject({ argv: expect.arrayContaining(['--keep-nvram']) });
    expect(all[1]?.run).not.toMatchObject({ argv: expect.arrayContaining(['--nvram']) });
  });
  it('are refused when they touch any file at all', () => {
    const step = { name: 'x', title: 'x', undo: 'nothing', look: sdk.looks.fileThere('/x') } as const;
    const plan = [{ ...step, run: { do: 'remove-file', path: '/x/a.img' } as const }];
    expect(() => checkVmPlan(plugin, spec, plan)).toThrow(AppError);
  });
});
