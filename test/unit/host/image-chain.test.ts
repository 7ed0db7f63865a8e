import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { reachesOutside } from '$lib/server/host/image-chain';

const root = mkdtempSync(join(tmpdir(), 'cairn-chain-'));
const [tank, other] = [join(root, 'tank'), join(root, 'other')];
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(tank, { recursive: true });
  mkdirSync(other);
});

/** As docs/interop/qcow2.txt of QEMU says: the name of the backing file lies anywhere in the first cluster. */
function qcow2(path: string, backing: string | null, { dataFile = false, at = 200 } = {}): string {
  const file = Buffer.alloc(at + 1_024);
  file.writeUInt32BE(0x514649fb, 0);
  file.writeUInt32BE(3, 4);
  if (backing !== null) {
    file.writeBigUInt64BE(BigInt(at), 8);
    file.writeUInt32BE(Buffer.byteLength(backing), 16);
    file.write(backing, at);
  }
  if (dataFile) file.writeBigUInt64BE(4n, 72);
  writeFileSync(path, file);
  return path;
}
const disk = join(tank, 'disk.qcow2');

describe('what a disk lies above', () => {
  it('may be files of the pools, however many', async () => {
    const base = qcow2(join(other, 'base.qcow2'), null);
    const middle = qcow2(join(tank, 'middle.qcow2'), base);
    expect(await reachesOutside(qcow2(disk, middle), [tank, other])).toBeNull();
    expect(await reachesOutside(disk, [tank, '/not/mounted'])).toBe(
      `It reaches for ${base}, which lies on no pool.`,
    );
    writeFileSync(disk, 'no qcow2');
    expect(await reachesOutside(disk, [tank])).toBeNull();
  });

  it('is found where the name lies beyond the header', async () => {
    const far = { at: 70_000 };
    expect(await reachesOutside(qcow2(disk, '/etc/shadow', far), [tank])).toMatch(
      /reaches for \/etc\/shadow/,
    );
  });

  it('may be nothing else: neither through a link, nor a protocol, nor a drive, nor a file of data', async () => {
    const of = (backing: string | null, more = {}) => reachesOutside(qcow2(disk, backing, more), [tank]);
    expect(await of('/etc/passwd')).toBe('It reaches for /etc/passwd, which lies on no pool.');
    symlinkSync('/etc/passwd', join(tank, 'link'));
    expect(await of(join(tank, 'link'))).toBe('It reaches for /etc/passwd, which lies on no pool.');
    expect(await of(`${tank}/../../../../../../etc/passwd`)).toMatch(/which lies on no pool/);
    expect(await of('json:{"driver":"host_device"}')).toMatch(/no absolute path/);
    expect(await of('nbd://10.0.0.1/x')).toMatch(/no absolute path/);
    expect(await of('base.qcow2')).toMatch(/no absolute path/);
    expect(await of(join(tank, 'gone'))).toMatch(/which is not there/);
    expect(await of(tank)).toMatch(/which lies on no pool/);
    mkdirSync(join(tank, 'folder'));
    expect(await of(join(tank, 'folder'))).toMatch(/is no file/);
    execFileSync('/usr/bin/mkfifo', ['--', join(tank, 'pipe')]);
    expect(await of(join(tank, 'pipe'))).toMatch(/is no file/);
    expect(await of(null, { dataFile: true })).toMatch(/keeps what it holds in another file/);
  });

  it('ends, also where a disk lies above itself or its header is cut', async () => {
    expect(await reachesOutside(qcow2(disk, disk), [tank])).toMatch(/more files than any machine has/);
    const header = Buffer.alloc(104);
    header.writeUInt32BE(0x514649fb, 0);
    header.writeBigUInt64BE(90n, 8);
    header.writeUInt32BE(60, 16);
    writeFileSync(disk, header);
    expect(await reachesOutside(disk, [tank])).toMatch(/cannot be told/);
    header.writeUInt32BE(5_000, 16);
    writeFileSync(disk, header);
    expect(await reachesOutside(disk, [tank])).toMatch(/cannot be told/);
  });
});
