import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writtenBytes } from '$lib/server/vms/place';

const MIB = 1024 ** 2;
const folder = mkdtempSync(join(tmpdir(), 'cairn-place-'));
afterAll(() => rmSync(folder, { recursive: true }));
const disk = (name: string, sizeBytes: number) => ({ path: join(folder, name), sizeBytes });

describe('what machines have written of what was promised to them', () => {
  it('is no more than that, however much their snapshots take', async () => {
    writeFileSync(join(folder, 'a'), Buffer.alloc(3 * MIB, 1));
    expect(await writtenBytes([disk('a', 10 * MIB)])).toBe(3 * MIB);
    expect(await writtenBytes([disk('a', 2 * MIB), disk('gone', MIB)])).toBe(2 * MIB);
  });
});
