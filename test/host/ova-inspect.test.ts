/** Machines in one file, as others make them and as they attack: looked into with the real qemu-img, and refused by name. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommands } from '$lib/server/host/command';
import { inspectOva } from '$lib/server/host/inspect-ova';
import { tarOf, virtualBoxOvf, vmwareOvf, type TarEntry } from '../support/ova';

const MIB = 1024 ** 2;
const folder = mkdtempSync(join(tmpdir(), 'cairn-ova-'));
const commands = createCommands([]);
let disk: Buffer;
let small: Buffer;

function vmdk(name: string, size: string, ...options: string[]): Buffer {
  const path = join(folder, name);
  execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', 'raw', `${path}.raw`, size]);
  execFileSync('/usr/bin/qemu-img', [
    ...['convert', '-f', 'raw', '-O', 'vmdk', '-o', ['subformat=streamOptimized', ...options].join()],
    ...[`${path}.raw`, path],
  ]);
  return readFileSync(path);
}
beforeAll(() => {
  disk = vmdk('a.vmdk', '10M');
  small = vmdk('b.vmdk', '3M');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function put(content: Buffer): string {
  const path = join(folder, `made, ${(made += 1)}.ova`);
  writeFileSync(path, content);
  return path;
}
const look = (entries: TarEntry[]) => inspectOva(commands, put(tarOf(entries)));
const why = (entries: TarEntry[] | Buffer): Promise<string> =>
  inspectOva(commands, put(Buffer.isBuffer(entries) ? entries : tarOf(entries))).then(
    () => 'it was taken',
    (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
  );
const ovf = vmwareOvf('a.vmdk');
const good = (change: Partial<Record<'ovf', string>> = {}): TarEntry[] => [
  { name: 'vm.ovf', content: change.ovf ?? ovf },
  { name: 'a.vmdk', content: disk },
];
const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

describe('a machine that others have put into one file', () => {
  it('is understood as VirtualBox writes it, with its disks in the order of their places', async () => {
    const machine = await look([
      { name: 'box.ovf', content: virtualBoxOvf(['box-disk001.vmdk', 'box-disk002.vmdk']) },
      { name: 'box-disk002.vmdk', content: small },
      { name: 'box-disk001.vmdk', content: disk },
    ]);
    expect(machine).toMatchObject({ name: 'box', cpus: 2, memoryBytes: 64 * MIB, cards: 1, isEfi: false });
    expect(machine.disks.map(({ file, virtualBytes }) => [file, virtualBytes])).toEqual([
      ['box-disk001.vmdk', 10 * MIB],
      ['box-disk002.vmdk', 3 * MIB],
    ]);
    expect(machine.digests).toEqual([]);
  });

  it('is understood as VMware writes it, with what its manifest says', async () => {
    const machine = await look([
      ...good().slice(0, 1),
      { name: 'vm.mf', content: `SHA256(vm.ovf)= ${sha256(ovf)}\r\nSHA256(a.vmdk)= ${sha256(disk)}\r\n` },
      ...good().slice(1),
    ]);
    expect(machine).toMatchObject({
      name: 'My VM 1',
      cpus: 1,
      memoryBytes: 1024 * MIB,
      cards: 2,
      isEfi: true,
    });
    expect(machine.digests.map(({ name, hex }) => [name, hex])).toEqual([
      ['vm.ovf', sha256(ovf)],
      ['a.vmdk', sha256(disk)],
    ]);
  });

  it('is understood as tar itself packs it, with lengths in the way of GNU too', async () => {
    writeFileSync(join(folder, 'vm.ovf'), ovf);
    for (const format of ['ustar', 'gnu', 'pax']) {
      const path = join(folder, `packed-${format}.ova`);
      execFileSync('/usr/bin/tar', ['-C', folder, `--format=${format}`, '-cf', path, 'vm.ovf', 'a.vmdk']);
      expect((await inspectOva(commands, path)).disks, format).toHaveLength(1);
    }
  });
});

describe('a file that is no machine, or more than one', () => {
  it.each<[string, () => TarEntry[] | Buffer, RegExp]>([
    [
      'leads out of its folder',
      () => [...good(), { name: '../evil', content: 'x' }],
      /"\.\.\/evil" in it is no plain name/,
    ],
    [
      'has an absolute name',
      () => [{ name: '/etc/cron.d/x', content: 'x' }],
      /"\/etc\/cron\.d\/x" in it is no plain name/,
    ],
    ['has a folder', () => [{ name: 'a/vm.ovf', content: ovf }], /"a\/vm\.ovf" in it is no plain name/],
    [
      'has a link',
      () => [...good(), { name: 'b.vmdk', type: '2', linkName: '/etc/shadow' }],
      /"b\.vmdk" in it is a symbolic link/,
    ],
    [
      'has a hard link',
      () => [...good(), { name: 'b.vmdk', type: '1', linkName: 'a.vmdk' }],
      /"b\.vmdk" in it is a link/,
    ],
    ['has a device', () => [...good(), { name: 'b.vmdk', type: '3' }], /"b\.vmdk" in it is a device/],
    ['has a file twice', () => [...good(), { name: 'a.vmdk', content: small }], /"a\.vmdk" is in it twice/],
    [
      'changes names in extended headers',
      () => [{ name: 'x', type: 'x', content: '17 path=../evil\n\n' }, ...good()],
      /changes "path"/,
    ],
    [
      'is cut off in a disk',
      () => tarOf(good()).subarray(0, 20_000),
      /cut off: "a\.vmdk" in it is not whole/,
    ],
    ['is cut off at its end', () => tarOf(good()).subarray(0, -1_024), /cut off: it has no end/],
    ['is no archive', () => Buffer.alloc(4_096, 'x'), /no tar archive/],
    [
      'is damaged in a header',
      () => Buffer.from(tarOf(good())).fill('y', 0, 2),
      /no tar archive, or a damaged one/,
    ],
    ['has no descriptor', () => good().slice(1), /no descriptor/],
    [
      'has two descriptors',
      () => [...good(), { name: 'b.ovf', content: ovf }],
      /2 files in it whose names end in \.ovf/,
    ],
    [
      'has a document type',
      () => good({ ovf: `<!DOCTYPE x SYSTEM "file:///etc/shadow">${ovf}` }),
      /document type/,
    ],
    [
      'has entities that grow',
      () =>
        good({
          ovf: `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>`,
        }),
      /document type/,
    ],
    ['has a descriptor that is no XML', () => good({ ovf: '<Envelope>' }), /no XML/],
    ['is nested without an end', () => good({ ovf: '<a>'.repeat(100_000) }), /no XML/],
    [
      'has a descriptor far too long',
      () => good({ ovf: ovf + ' '.repeat(600 * 1024) }),
      /"vm\.ovf" in it is far too long/,
    ],
    [
      'has no text as its descriptor',
      () => [{ name: 'vm.ovf', content: Buffer.from([0xff, 0xfe, 0x3c]) }],
      /no text in UTF-8/,
    ],
    [
      'names a disk of somebody else',
      () => good({ ovf: ovf.replace('ovf:href="a.vmdk"', 'ovf:href="/etc/shadow"') }),
      /"\/etc\/shadow", which is not in it/,
    ],
    [
      'names a disk that is not described',
      () => good({ ovf: ovf.replace('ovf:/disk/vmdisk1', 'ovf:/disk/other') }),
      /"ovf:\/disk\/other", which is not in it/,
    ],
    [
      'has a disk of another format',
      () => good({ ovf: ovf.replace(/ovf:format="[^"]*"/, 'ovf:format="http://x/vhd"') }),
      /format that is not known: http:\/\/x\/vhd/,
    ],
    [
      'has no disk',
      () => good({ ovf: ovf.replace('<r:ResourceType>17<', '<r:ResourceType>15<') }),
      /has no disk/,
    ],
    [
      'is compressed once more',
      () => good({ ovf: ovf.replace('ovf:size=', 'ovf:compression="gzip" ovf:size=') }),
      /"a\.vmdk" in it is compressed once more \(gzip\)/,
    ],
    [
      'is cut into pieces',
      () => good({ ovf: ovf.replace('ovf:size=', 'ovf:chunkSize="10" ovf:size=') }),
      /cut into pieces/,
    ],
    [
      'tells what differs from another disk',
      () => good({ ovf: ovf.replace('ovf:fileRef', 'ovf:parentRef="x" ovf:fileRef') }),
      /only tells what differs/,
    ],
    [
      'has several machines',
      () =>
        good({
          ovf: ovf
            .replaceAll('ovf:VirtualSystem>', 'ovf:VirtualSystemCollection>')
            .replace('<ovf:VirtualSystem ', '<ovf:VirtualSystemCollection '),
        }),
      /several machines/,
    ],
    [
      'has a manifest of what is not there',
      () => [...good(), { name: 'vm.mf', content: `SHA256(b.vmdk)= ${'0'.repeat(64)}` }],
      /names "b\.vmdk", which is not in it/,
    ],
    [
      'has a manifest that leaves out a disk',
      () => [...good(), { name: 'vm.mf', content: `SHA256(vm.ovf)= ${sha256(ovf)}` }],
      /no checksum of "a\.vmdk"/,
    ],
    [
      'has a manifest of a kind that is not known',
      () => [...good(), { name: 'vm.mf', content: 'MD5(vm.ovf)= 00' }],
      /line that is not known: MD5/,
    ],
  ])('%s: it is refused by name', async (_what, entries, message) => {
    const said = await why(entries());
    expect(said).toMatch(message);
    expect(said).toMatch(/^image_unsupported: /);
  });

  it('has a disk that names another file: it is refused before qemu-img sees it', async () => {
    const parent = Buffer.from(
      disk.toString('latin1').replace(/parentCID=ffffffff/, 'parentCID=12345678'),
      'latin1',
    );
    expect(
      await why([
        { name: 'vm.ovf', content: ovf },
        { name: 'a.vmdk', content: parent },
      ]),
    ).toMatch(/"a\.vmdk" in it: It is not whole: it needs another file/);
    const text = `# Disk DescriptorFile\nversion=1\nCID=ffffffff\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 20480 FLAT "/etc/shadow" 0\n`;
    expect(
      await why([
        { name: 'vm.ovf', content: ovf },
        { name: 'a.vmdk', content: text },
      ]),
    ).toMatch(/only describes a disk that lies in other files/);
    expect(
      await why([
        { name: 'vm.ovf', content: ovf },
        { name: 'a.vmdk', content: 'x'.repeat(70_000) },
      ]),
    ).toMatch(/no vmdk file of one piece/);
  });

  it('is a link to one: it is not followed', async () => {
    const path = join(folder, 'link.ova');
    symlinkSync(put(tarOf(good())), path);
    await expect(inspectOva(commands, path)).rejects.toThrow(/ELOOP/);
  });
});
