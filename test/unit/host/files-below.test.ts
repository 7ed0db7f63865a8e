import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesBelow, type Walk } from '$lib/server/host/files-below';
import { readIsoLabel } from '$lib/server/host/iso-label';
import type { MountEntry } from '$lib/server/host/types';

let root: string;
let cut: number;
const put = (path: string): void => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), 'x');
};
const openFiles = (): number => readdirSync('/proc/self/fd').length;

async function walked(change: Partial<Walk> = {}): Promise<string[]> {
  const paths: string[] = [];
  const walk: Walk = {
    ...{ isWanted: (name) => name.endsWith('.iso'), isLeftOut: () => false, mounts: () => [] },
    ...{ depth: 6, mostNames: 1_000, signal: new AbortController().signal, onCut: () => (cut += 1) },
    ...change,
  };
  for await (const { path } of filesBelow(join(root, 'pool'), walk)) paths.push(path);
  return paths.sort();
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cairn-below-'));
  cut = 0;
  for (const path of ['pool/a.iso', 'pool/b.txt', 'pool/x/c.iso', 'pool/x/y/d.iso', 'outside/e.iso'])
    put(path);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a walk through a folder', () => {
  it('finds what is wanted, as deep as it was told', async () => {
    expect(await walked()).toEqual(['a.iso', 'x/c.iso', 'x/y/d.iso']);
    expect(await walked({ depth: 1 })).toEqual(['a.iso', 'x/c.iso']);
    expect(await walked({ depth: 0 })).toEqual(['a.iso']);
  });
  it('never follows a link, neither to a folder nor to a file', async () => {
    symlinkSync(join(root, 'outside'), join(root, 'pool/link'));
    symlinkSync(join(root, 'outside/e.iso'), join(root, 'pool/link.iso'));
    symlinkSync('..', join(root, 'pool/x/up'));
    expect(await walked()).toEqual(['a.iso', 'x/c.iso', 'x/y/d.iso']);
  });
  it('leaves out what is mounted below, and what it is told to', async () => {
    const mounts = () => [{ path: join(root, 'pool/x/y') }] as MountEntry[];
    expect(await walked({ mounts })).toEqual(['a.iso', 'x/c.iso']);
    expect(await walked({ isLeftOut: (path) => path === 'x' })).toEqual(['a.iso']);
  });
  it('gives up after so many names, and says so once', async () => {
    for (let index = 0; index < 30; index += 1) put(`pool/many/${index}.iso`);
    expect((await walked({ mostNames: 10 })).length).toBeLessThanOrEqual(10);
    expect(cut).toBe(1);
  });
  it('ends at once when it is told to, and leaves nothing open', async () => {
    const before = openFiles();
    const abort = new AbortController();
    const isWanted = (name: string): boolean => {
      if (name === 'c.iso') abort.abort(new Error('the pool is needed'));
      return true;
    };
    await expect(walked({ isWanted, signal: abort.signal })).rejects.toThrow('the pool is needed');
    expect(openFiles()).toBe(before);
  });
});

describe('the label of an ISO', () => {
  const isoWith = (bytes: Buffer): string => {
    const path = join(root, 'label.iso');
    const file = openSync(path, 'w');
    writeSync(file, bytes, 0, bytes.length, 32_768);
    closeSync(file);
    return path;
  };
  const labelOf = async (path: string): Promise<string | null> => {
    const file = await open(path);
    return readIsoLabel(file).finally(() => file.close());
  };
  it('is read from its primary volume descriptor', async () => {
    const sector = Buffer.alloc(2_048);
    sector.write('\u0001CD001\u0001', 0, 'latin1');
    sector.write('Debian 12.5.0 amd64 n'.padEnd(32), 40, 'latin1');
    expect(await labelOf(isoWith(sector))).toBe('Debian 12.5.0 amd64 n');
    sector.write(''.padEnd(32), 40, 'latin1');
    expect(await labelOf(isoWith(sector))).toBeNull();
  });
  it('is none where there is no such descriptor', async () => {
    expect(await labelOf(isoWith(Buffer.alloc(2_048, 'x')))).toBeNull();
    expect(await labelOf(isoWith(Buffer.from('short')))).toBeNull();
  });
});
