import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
