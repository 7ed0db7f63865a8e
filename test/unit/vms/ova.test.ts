/** A machine as others read it: its descriptor, and the plan of the archive around it. */
import { describe, expect, it } from 'vitest';
import type { VmSpec } from '$lib/plugin-api/vm';
import { childOf, childrenOf, parseXml } from '$lib/plugin-api/parse-xml';
import type { XmlNode } from '$lib/plugin-api/xml';
import { parseOvf } from '$lib/server/host/parse-ovf';
import { ovaBytes, ovaSteps, tarFormatOf } from '$lib/server/vms/plan-ova';
import { ovfText } from '$lib/server/vms/write-ovf';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const machine = {
  ...{ name: 'a&b', cpus: 2, memoryBytes: 512 * MIB },
  disks: [
    { file: 'a-disk1.vmdk', sizeBytes: 10 * GIB },
    { file: 'a-disk2.vmdk', sizeBytes: GIB },
  ],
  networks: ['Network', 'br0', 'br0'],
  ...{ isEfi: true, devices: 'virtio' as const },
};
const spec: VmSpec = {
  ...{ id: '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f', name: 'web', cpus: 1, memoryBytes: 64 * MIB },
  ...{ virtType: 'kvm', folder: '/mnt/tank/machines/web', diskBytes: GIB, cdPath: null, seedPath: null },
  ...{ diskPath: '/mnt/tank/machines/web/disk.qcow2', asRoot: false },
  moreDisks: [{ slot: 2, path: '/mnt/tank/machines/web/disk-2.qcow2', sizeBytes: 2 * GIB }],
};
const itemsOf = (root: XmlNode): Record<string, string | null>[] =>
  childrenOf(childOf(root, 'VirtualSystem', 'VirtualHardwareSection'), 'Item').map(({ children }) =>
    Object.fromEntries(children.map(({ name, text }) => [name, text])),
  );

describe('the descriptor of a machine', () => {
  const root = parseXml(ovfText(machine));

  it('tells us, and whoever reads it, that the guest has drivers for virtio', () => {
    expect(parseOvf(ovfText(machine)).devices).toBe('virtio');
    expect(parseOvf(ovfText({ ...machine, devices: 'common' })).devices).toBe('common');
    const other = ovfText({ ...machine, devices: 'common' }).replace('lsilogic', 'VirtioSCSI');
    expect(parseOvf(other).devices).toBe('virtio');
  });

  it('says what the machine has, in units that all read alike', () => {
    const items = itemsOf(root);
    expect(items.map((item) => item['rasd:ResourceType'])).toEqual([
      '3',
      '4',
      '6',
      '17',
      '17',
      '10',
      '10',
      '10',
    ]);
    expect(items[0]?.['rasd:VirtualQuantity']).toBe('2');
    expect(items[1]).toMatchObject({ 'rasd:VirtualQuantity': '512', 'rasd:AllocationUnits': 'byte * 2^20' });
    expect(new Set(items.map((item) => item['rasd:InstanceID'])).size).toBe(items.length);
    expect(childOf(root, 'VirtualSystem', 'Name')?.text).toBe('a&b');
  });

  it('leads from each disk to its file, and hangs them on a controller that is there', () => {
    const files = childrenOf(childOf(root, 'References'), 'File').map(({ attributes }) => attributes);
    const disks = childrenOf(childOf(root, 'DiskSection'), 'Disk').map(({ attributes }) => attributes);
    expect(files.map((file) => file['ovf:href'])).toEqual(['a-disk1.vmdk', 'a-disk2.vmdk']);
    expect(disks.map((disk) => disk['ovf:fileRef'])).toEqual(files.map((file) => file['ovf:id']));
    expect(disks.map((disk) => disk['ovf:capacity'])).toEqual([String(10 * GIB), String(GIB)]);
    const items = itemsOf(root);
    const controller = items.find((item) => item['rasd:ResourceType'] === '6')?.['rasd:InstanceID'];
    const hung = items.filter((item) => item['rasd:ResourceType'] === '17');
    expect(hung.map((item) => item['rasd:Parent'])).toEqual([controller, controller]);
    expect(hung.map((item) => item['rasd:HostResource'])).toEqual(['ovf:/disk/vmdisk1', 'ovf:/disk/vmdisk2']);
  });

  it('names each network once, and what is inside of an item in the order of the alphabet', () => {
    const networks = childrenOf(childOf(root, 'NetworkSection'), 'Network');
    expect(networks.map(({ attributes }) => attributes['ovf:name'])).toEqual(['Network', 'br0']);
    for (const item of childrenOf(childOf(root, 'VirtualSystem', 'VirtualHardwareSection'), 'Item')) {
      const names = item.children.map(({ name }) => name);
      expect(names).toEqual(names.toSorted());
    }
  });
});

describe('the plan of an archive', () => {
  const steps = ovaSteps(spec, 'golden', '/mnt/tank/images/golden.ova', [GIB, MIB]);
  const argvOf = (name: string): string[] => {
    const run = steps.find((step) => step.name === name)?.run;
    return run?.do === 'exec' ? run.argv.map(String) : [];
  };

  it('puts the descriptor first, the disks in their order, and the checksums last', () => {
    const argv = argvOf('pack');
    expect(argv.slice(argv.indexOf('--') + 1)).toEqual([
      ...['golden.ovf', 'golden-disk1.vmdk', 'golden-disk2.vmdk', 'golden.mf'],
    ]);
    expect(argv).toContain('--format=ustar');
  });

  it('writes what is compressed, from each disk, as the format that it has', () => {
    expect(argvOf('export-disk-2')).toEqual([
      ...['convert', '-p', '-f', 'qcow2', '-O', 'vmdk', '-o', 'subformat=streamOptimized', '--'],
      ...['/mnt/tank/machines/web/disk-2.qcow2', '/mnt/tank/images/.golden.ova.parts/golden-disk2.vmdk'],
    ]);
  });

  it('takes everything back, and leaves nothing but the archive behind', () => {
    const made = steps.flatMap(({ undo }) => (Array.isArray(undo) ? undo : []));
    expect(made.map((action) => action.do)).toContain('remove-directory');
    const gone = steps.filter(({ look }) => look.negate).map(({ look }) => look.args['path']);
    const kept = steps
      .filter(({ look, name }) => !look.negate && name !== 'pack')
      .map(({ look }) => look.args['path']);
    expect(gone.toSorted()).toEqual(kept.toSorted());
  });

  it('tells lengths in the way of GNU tar where ustar has no digits for them', () => {
    expect(tarFormatOf([7 * GIB])).toBe('ustar');
    expect(tarFormatOf([GIB, 7.9 * GIB])).toBe('gnu');
    expect(ovaBytes([GIB])).toBeGreaterThan(2 * GIB);
  });
});
