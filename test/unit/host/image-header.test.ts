import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readImageHeader } from '$lib/server/host/image-header';

const folder = mkdtempSync(join(tmpdir(), 'cairn-header-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As docs/interop/qcow2.txt of QEMU says. */
function qcow2(change: (header: Buffer) => void = () => undefined): string {
  const header = Buffer.alloc(104);
  header.writeUInt32BE(0x514649fb, 0);
  header.writeUInt32BE(3, 4);
  header.writeBigUInt64BE(5n * 1024n ** 3n, 24);
  change(header);
  const path = join(folder, 'image');
  writeFileSync(path, header);
  return path;
}
const obstacle = async (path: string) => (await readImageHeader(path, 'qcow2')).obstacle;

/** As the specification of VMware says: a header, and a description of text in it. */
function vmdk(description: string, change: (header: Buffer) => void = () => undefined): string {
  const file = Buffer.alloc(65_536);
  file.write('KDMV', 0, 'latin1');
  file.writeUInt32LE(1, 4);
  file.writeBigUInt64LE(20_480n, 12);
  file.writeBigUInt64LE(1n, 28);
  file.writeBigUInt64LE(20n, 36);
  file.write(description, 512, 'latin1');
  change(file);
  const path = join(folder, 'image.vmdk');
  writeFileSync(path, file);
  return path;
}
const WHOLE =
  '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicSparse"\nRW 20480 SPARSE "x.vmdk"\n';
const ofVmdk = (path: string) => readImageHeader(path, 'vmdk');

describe('the header of an image', () => {
  it('tells how large the disk is', async () => {
    expect(await readImageHeader(qcow2(), 'qcow2')).toEqual({ virtualBytes: 5 * 1024 ** 3, obstacle: null });
    expect(await readImageHeader(qcow2(), 'raw')).toEqual({ virtualBytes: 104, obstacle: null });
  });
  it('refuses one that reaches for another file', async () => {
    expect(await obstacle(qcow2((header) => header.writeBigUInt64BE(512n, 8)))).toMatch(/backing file/);
    expect(await obstacle(qcow2((header) => header.writeBigUInt64BE(4n, 72)))).toMatch(/another file/);
  });
  it('refuses what is encrypted, of another version, or something else', async () => {
    expect(await obstacle(qcow2((header) => header.writeUInt32BE(1, 32)))).toMatch(/encrypted/);
    expect(await obstacle(qcow2((header) => header.writeUInt32BE(4, 4)))).toMatch(/version 4/);
    expect(await obstacle(qcow2((header) => header.fill(0)))).toMatch(/no qcow2/);
    const path = join(folder, 'short');
    writeFileSync(path, 'QFI');
    expect(await obstacle(path)).toMatch(/no qcow2/);
  });
});

describe('the header of a vmdk', () => {
  it('tells how large the disk is when all of it is in this file', async () => {
    expect(await ofVmdk(vmdk(WHOLE))).toEqual({ virtualBytes: 20_480 * 512, obstacle: null });
  });
  it('refuses one whose description names other files, before any program opens it', async () => {
    const flat = WHOLE.replace('SPARSE "x.vmdk"', 'FLAT "/etc/shadow" 0');
    expect((await ofVmdk(vmdk(flat))).obstacle).toMatch(/lies in other files/);
    expect((await ofVmdk(vmdk(`${WHOLE}RW 1 SPARSE "/etc/shadow"\n`))).obstacle).toMatch(/other files/);
    expect((await ofVmdk(vmdk(WHOLE.replace('monolithicSparse', 'custom')))).obstacle).toMatch(/other files/);
    expect((await ofVmdk(vmdk(WHOLE.replace('ffffffff', '12345678')))).obstacle).toMatch(/its parent/);
    expect((await ofVmdk(vmdk(`${WHOLE}parentFileNameHint="/etc/shadow"\n`))).obstacle).toMatch(/its parent/);
    expect((await ofVmdk(vmdk(WHOLE, (file) => file.writeBigUInt64LE(0n, 12)))).obstacle).toMatch(
      /one piece/,
    );
    const text = join(folder, 'text.vmdk');
    writeFileSync(text, WHOLE);
    expect((await ofVmdk(text)).obstacle).toMatch(/only describes/);
  });
});

describe('the first bytes of an image', () => {
  const written = (content: Buffer): string => {
    const path = join(folder, 'other');
    writeFileSync(path, content);
    return path;
  };
  it('have to be those of its format', async () => {
    const junk = written(Buffer.alloc(4096, 'x'));
    for (const format of ['vmdk', 'vdi', 'vhd', 'vhdx', 'qcow2'] as const)
      expect((await readImageHeader(junk, format)).obstacle, format).toMatch(/whatever its name says/);
    expect((await readImageHeader(written(Buffer.from('vhdxfile')), 'vhdx')).obstacle).toBeNull();
    const fixed = Buffer.concat([Buffer.alloc(4096), Buffer.from('conectix'.padEnd(512))]);
    expect((await readImageHeader(written(fixed), 'vhd')).obstacle).toBeNull();
  });
  it('are not read through a link', async () => {
    const link = join(folder, 'link');
    symlinkSync(qcow2(), link);
    await expect(readImageHeader(link, 'qcow2')).rejects.toThrow(/ELOOP/);
  });
});
