import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify } from '$lib/server/host/drive-identity';
import { readDrives, type Roots } from '$lib/server/host/sysfs';
import { systemDrives } from '$lib/server/host/system-drives';
import type { MountEntry } from '$lib/server/host/types';

let root: string;
let roots: Roots;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cairn-sysfs-'));
  roots = { sys: join(root, 'sys'), udev: join(root, 'udev') };
  emptyTree();
});
function emptyTree(): void {
  rmSync(root, { recursive: true });
  for (const folder of ['sys/block', 'sys/class/block', 'sys/dev/block', 'udev/data'])
    mkdirSync(join(root, folder), { recursive: true });
}
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
interface Given {
  /** Below /sys/devices. */
  device: string;
  majorMinor: string;
  sectors?: number;
  block?: Record<string, string | Buffer>;
  attributes?: Record<string, string | Buffer>;
  udev?: string;
}
/** A drive as the kernel lays it out: the device folder, its block folder in it, links to both. */
function drive(name: string, given: Given): string {
  const device = join(roots.sys, 'devices', given.device);
  const block = join(device, 'block', name);
  put(join(block, 'size'), `${given.sectors ?? 2048}\n`);
  put(join(block, 'dev'), `${given.majorMinor}\n`);
  for (const [path, content] of Object.entries(given.block ?? {})) put(join(block, path), content);
  for (const [path, content] of Object.entries(given.attributes ?? {})) put(join(device, path), content);
  symlinkSync(device, join(block, 'device'));
  for (const link of [`block/${name}`, `class/block/${name}`, `dev/block/${given.majorMinor}`])
    symlinkSync(block, join(roots.sys, link));
  if (given.udev) put(join(roots.udev, 'data', `b${given.majorMinor}`), given.udev);
  return block;
}
function partition(block: string, name: string, number: number, majorMinor: string): void {
  put(join(block, name, 'partition'), `${number}\n`);
  put(join(block, name, 'dev'), `${majorMinor}\n`);
  put(join(block, name, 'size'), '1024\n');
  put(join(block, name, 'start'), '2048\n');
  for (const link of [`class/block/${name}`, `dev/block/${majorMinor}`])
    symlinkSync(join(block, name), join(roots.sys, link));
}
const serialPage = (serial: string): Buffer =>
  Buffer.concat([Buffer.from([0, 0x80, 0, serial.length]), Buffer.from(serial)]);
const read = () => identify(readDrives(roots), '/sandbox');
const SATA = 'pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0';
const mount = (path: string, majorMinor: string, source: string): MountEntry => ({
  path,
  majorMinor,
  source,
  filesystem: 'ext4',
  readOnly: false,
  options: [],
});

test('a SATA drive is known by its WWN, with model, serial and bus', () => {
  drive('sda', {
    device: SATA,
    majorMinor: '8:0',
    block: {
      'queue/rotational': '1\n',
      'queue/logical_block_size': '512\n',
      'queue/physical_block_size': '4096\n',
    },
    attributes: {
      model: 'WDC WD40EFRX-68N\n',
      vendor: 'ATA     \n',
      wwid: 'naa.50014ee2b5f1a2c3\n',
      vpd_pg80: serialPage('     WD-WCC7K1234567'),
    },
    udev: 'S:disk/by-id/wwn-0x50014ee2b5f1a2c3\nS:disk/by-id/ata-WDC_WD40EFRX-68N_WD-WCC7K1234567\nE:ID_BUS=ata\nE:ID_PATH=pci-0000:00:17.0-ata-1\n',
  });
  expect(read()).toMatchObject([
    {
      id: 'drive-50014ee2b5f1a2c3',
      identity: 'strong',
      serial: 'WD-WCC7K1234567',
      model: 'WDC WD40EFRX-68N',
      vendor: null,
      bus: 'sata',
      rotational: true,
      logicalSectorBytes: 512,
      physicalSectorBytes: 4096,
      sizeBytes: 1_048_576,
      byId: '/dev/disk/by-id/ata-WDC_WD40EFRX-68N_WD-WCC7K1234567',
    },
  ]);
});

test('a drive keeps its id under another name, on another port', () => {
  const attributes = { model: 'Samsung SSD 870', wwid: 'naa.5002538f4123abcd', vpd_pg80: serialPage('S5Y1') };
  drive('sda', { device: SATA, majorMinor: '8:0', attributes });
  const before = read()[0]?.id;
  emptyTree();
  drive('sdq', { device: SATA.replace('ata1/host0', 'ata6/host5'), majorMinor: '65:0', attributes });
  expect(read().map(({ kernelName, id }) => [kernelName, id])).toEqual([['sdq', before]]);
  expect(before).toBe('drive-5002538f4123abcd');
});

test('without a WWN model and serial make the id, for NVMe and virtio as well', () => {
  drive('nvme0n1', {
    device: 'pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0',
    majorMinor: '259:0',
    block: { wwid: 'nvme.144d-5331\n' },
    attributes: { model: 'Samsung SSD 980 PRO   \n', serial: 'S5GXNX0R1\n' },
  });
  drive('vdb', {
    device: 'pci0000:00/0000:00:05.0/virtio3',
    majorMinor: '252:16',
    block: { serial: 'LAB0001' },
    attributes: { vendor: '0x1af4\n' },
  });
  expect(read().map(({ id, bus, vendor }) => [id, bus, vendor])).toEqual([
    ['drive-samsung-ssd-980-pro-s5gxnx0r1', 'nvme', null],
    ['drive-virtio-lab0001', 'virtio', null],
  ]);
});

test('a USB drive that answers no SCSI page is known by the serial of the USB device', () => {
  const usb = 'pci0000:00/0000:00:14.0/usb2/2-1';
  put(join(roots.sys, 'devices', usb, 'idVendor'), '0951\n');
  put(join(roots.sys, 'devices', usb, 'serial'), '60A44C4252\n');
  drive('sdb', {
    device: `${usb}/2-1:1.0/host6/target6:0:0/6:0:0:0`,
    majorMinor: '8:16',
    attributes: { model: 'DataTraveler 3.0', vendor: 'Kingston' },
  });
  expect(read()).toMatchObject([
    { bus: 'usb', serial: '60A44C4252', vendor: 'Kingston', identity: 'strong' },
  ]);
});

test('two drives with the same WWN are both ambiguous, and told apart by their place', () => {
  const attributes = { model: 'Clone', wwid: 'naa.5000000000000001' };
  drive('sda', { device: SATA, majorMinor: '8:0', attributes });
  drive('sdb', { device: SATA.replace('0:0:0:0', '0:0:1:0'), majorMinor: '8:16', attributes });
  expect(read().map(({ id, identity }) => [id, identity])).toEqual([
    ['drive-5000000000000001-at-0-0-0-0', 'ambiguous'],
    ['drive-5000000000000001-at-0-0-1-0', 'ambiguous'],
  ]);
});

test('a drive that tells no serial is weak, and waits for udev where udev runs', () => {
  drive('sda', { device: SATA, majorMinor: '8:0', attributes: { model: 'Generic' } });
  expect(read()).toMatchObject([{ id: 'drive-at-0-0-0-0', identity: 'weak' }]);
  put(join(roots.udev, 'control'), '');
  expect(read()).toEqual([]);
  put(join(roots.udev, 'data/b8:0'), 'E:ID_SERIAL_SHORT=ABC123\nE:ID_PATH=pci-1\n');
  expect(read()).toMatchObject([{ id: 'drive-generic-abc123', identity: 'strong' }]);
});

test("a WWN of zeros is nobody's", () => {
  drive('sda', {
    device: SATA,
    majorMinor: '8:0',
    attributes: { wwid: 'naa.0000000000000000', model: 'M', vpd_pg80: serialPage('S1') },
  });
  expect(read()[0]?.id).toBe('drive-m-s1');
});

test('memory disks, optical drives, md, device-mapper and empty card readers are no drives', () => {
  for (const [index, name] of ['ram0', 'zram0', 'sr0', 'md0', 'dm-0', 'loop0'].entries())
    drive(name, { device: `virtual/${name}`, majorMinor: `1:${index}` });
  drive('sdc', { device: SATA, majorMinor: '8:32', sectors: 0, attributes: { model: 'Card' } });
  expect(read()).toEqual([]);
});

test('a sandbox drive is known by its file, another loop device only weakly', () => {
  drive('loop0', {
    device: 'virtual/a',
    majorMinor: '7:0',
    block: { 'loop/backing_file': '/sandbox/SBX-3F2A-01.img\n' },
  });
  drive('loop1', {
    device: 'virtual/b',
    majorMinor: '7:1',
    block: { 'loop/backing_file': '/home/me/disk.img\n' },
  });
  expect(read().map(({ id, identity, sandbox, serial }) => [id, identity, sandbox, serial])).toEqual([
    ['drive-sbx-3f2a-01', 'strong', true, 'SBX-3F2A-01'],
    ['drive-loop-home-me-disk-img', 'weak', false, null],
  ]);
});

test('a sandbox drive that was detached but is still open somewhere is gone', () => {
  drive('loop0', {
    device: 'virtual/a',
    majorMinor: '7:0',
    block: { 'loop/backing_file': '/sandbox/SBX-3F2A-01.img', 'loop/autoclear': '1' },
  });
  drive('loop1', {
    device: 'virtual/b',
    majorMinor: '7:1',
    block: { 'loop/backing_file': '/sandbox/SBX-3F2A-01.img', 'loop/autoclear': '0' },
  });
  expect(read().map(({ kernelName, identity }) => [kernelName, identity])).toEqual([['loop1', 'strong']]);
});

test('partitions come with number, size and path', () => {
  const block = drive('nvme0n1', {
    device: 'pci/nvme/nvme0',
    majorMinor: '259:0',
    attributes: { serial: 'S1', model: 'M' },
  });
  partition(block, 'nvme0n1p2', 2, '259:2');
  partition(block, 'nvme0n1p1', 1, '259:1');
  expect(read()[0]?.partitions.map(({ number, path, sizeBytes }) => [number, path, sizeBytes])).toEqual([
    [1, '/dev/nvme0n1p1', 524_288],
    [2, '/dev/nvme0n1p2', 524_288],
  ]);
});

test('the drive of a mounted root is a system drive, through a partition and through md', () => {
  const sda = drive('sda', { device: SATA, majorMinor: '8:0' });
  partition(sda, 'sda1', 1, '8:1');
  const sdb = drive('sdb', { device: SATA.replace('ata1', 'ata2'), majorMinor: '8:16' });
  partition(sdb, 'sdb1', 1, '8:17');
  drive('sdc', { device: SATA.replace('ata1', 'ata3'), majorMinor: '8:32' });
  const md = drive('md0', { device: 'virtual/md0', majorMinor: '9:0' });
  mkdirSync(join(md, 'slaves'));
  for (const name of ['sda1', 'sdb1'])
    symlinkSync(join(roots.sys, 'class/block', name), join(md, 'slaves', name));
  const found = (mounts: MountEntry[]) => [...systemDrives(mounts, [], new Map(), roots)].sort();
  expect(found([mount('/', '9:0', '/dev/md0'), mount('/mnt/data', '8:32', '/dev/sdc')])).toEqual([
    'sda',
    'sdb',
  ]);
  expect(found([mount('/boot', '8:17', '/dev/sdb1')])).toEqual(['sdb']);
});

test('every device of a btrfs root is a system drive', () => {
  drive('sda', { device: SATA, majorMinor: '8:0' });
  const members = new Map([['0f', ['sda', 'sdb']]]);
  const entry = { ...mount('/', '0:33', '/dev/sda'), majorMinor: '8:0', filesystem: 'btrfs' };
  drive('sdb', { device: SATA.replace('ata1', 'ata2'), majorMinor: '8:16' });
  expect([...systemDrives([entry], [], members, roots)].sort()).toEqual(['sda', 'sdb']);
});
