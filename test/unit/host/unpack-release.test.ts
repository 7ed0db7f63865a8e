import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookAtRelease, removeRelease, unpackRelease } from '$lib/server/host/unpack-release';

let home: string;
let versions: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cairn-unpack-'));
  versions = join(home, 'opt', 'versions');
  mkdirSync(versions, { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true }));

const sum = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
type Member = Partial<Header> & { name: string } & { content?: string };

/** @param listed of which files the list of checksums tells; all of them unless said */
async function archiveOf(members: Member[], listed?: Record<string, string>): Promise<Buffer> {
  const tar = pack();
  const files = members.filter(({ type = 'file' }) => type === 'file');
  const sums =
    listed ?? Object.fromEntries(files.map(({ name, content = '' }) => [name.slice(6), sum(content)]));
  const list = Object.entries(sums)
    .map(([name, digest]) => `${digest}  ${name}\n`)
    .join('');
  for (const { content, ...header } of [...members, { name: 'cairn/SHA256SUMS', content: list }])
    tar.entry(header, content ?? '');
  tar.finalize();
  return gzipSync(await buffer(tar));
}
const target = (): string => join(versions, '1.1.0');
async function unpack(bytes: Buffer, sha256 = sum(bytes)): Promise<void> {
  const archive = join(home, 'archive.tar.gz');
  writeFileSync(archive, bytes);
  await unpackRelease(
    { do: 'unpack-release', archive, sha256, top: 'cairn', path: target() },
    new AbortController().signal,
  );
}
const good: Member[] = [
  { name: 'cairn/', type: 'directory' },
  { name: 'cairn/bin/', type: 'directory' },
  { name: 'cairn/bin/node', content: '#!/bin/sh\n', mode: 0o4777 },
  { name: 'cairn/deep/down/a b [x].js', content: 'x' },
  { name: 'cairn/deep/node', type: 'symlink', linkname: '../bin/node' },
];

describe('a release that is unpacked', () => {
  it('is a folder with its files and links, without rights that it should not have', async () => {
    const bytes = await archiveOf(good);
    await unpack(bytes);
    expect(readdirSync(target()).sort()).toEqual(['.archive-sha256', 'SHA256SUMS', 'bin', 'deep']);
    expect(readFileSync(join(target(), 'deep/node'), 'utf8')).toBe('#!/bin/sh\n');
    expect(statSync(join(target(), 'bin/node')).mode & 0o7777).toBe(0o755);
    expect(statSync(join(target(), 'deep/down/a b [x].js')).mode & 0o7777).toBe(0o644);
    expect(readdirSync(versions)).toEqual(['1.1.0']);
    expect(await lookAtRelease({ path: target(), sha256: sum(bytes) })).toMatchObject({ status: 'done' });
    expect(await lookAtRelease({ path: target(), sha256: 'other' })).toMatchObject({ status: 'partial' });
  });
  it('takes the place of what an attempt before has left', async () => {
    mkdirSync(join(versions, '.new-1.1.0/bin'), { recursive: true });
    mkdirSync(join(target(), 'old'), { recursive: true });
    expect(await lookAtRelease({ path: join(versions, '1.1.0'), sha256: 'x' })).toMatchObject({
      status: 'partial',
    });
    await unpack(await archiveOf(good));
    expect(existsSync(join(target(), 'old'))).toBe(false);
    expect(readdirSync(versions)).toEqual(['1.1.0']);
  });
  it('is never written over the version that is to run', async () => {
    mkdirSync(target());
    symlinkSync('versions/1.1.0', join(home, 'opt/current'));
    await expect(unpack(await archiveOf(good))).rejects.toMatchObject({ code: 'foreign_state' });
    await expect(removeRelease(target())).rejects.toMatchObject({ code: 'foreign_state' });
    expect(existsSync(target())).toBe(true);
  });
});

describe('an archive is refused', () => {
  const refused: [title: string, members: Member[], listed?: Record<string, string>][] = [
    ['with a name that leads out of it', [{ name: 'cairn/../../etc/x', content: 'x' }]],
    ['with an absolute name', [{ name: '/etc/x', content: 'x' }]],
    ['with a file beside its folder', [{ name: 'other/x', content: 'x' }]],
    ['with a line break in a name', [{ name: 'cairn/a\nb', content: 'x' }]],
    ['with a link to an absolute place', [{ name: 'cairn/x', type: 'symlink', linkname: '/etc' }]],
    ['with a link that leads out of it', [{ name: 'cairn/a/x', type: 'symlink', linkname: '../../etc' }]],
    [
      'with a link that goes up after it went down',
      [
        { name: 'cairn/s/y', content: '' },
        { name: 'cairn/a/b/x', type: 'symlink', linkname: '../../s' },
        { name: 'cairn/a/b/z', type: 'symlink', linkname: 'x/../../q' },
      ],
    ],
    [
      'with a file below a link',
      [
        { name: 'cairn/x', type: 'symlink', linkname: 'bin' },
        { name: 'cairn/x/y', content: 'x' },
      ],
    ],
    ['with a hard link', [{ name: 'cairn/x', type: 'link', linkname: 'cairn/SHA256SUMS' }]],
    ['with a device', [{ name: 'cairn/x', type: 'character-device' }]],
    [
      'with a file twice',
      [
        { name: 'cairn/x', content: 'x' },
        { name: 'cairn/x', content: 'x' },
      ],
    ],
    ['with a file that its list does not name', [{ name: 'cairn/x', content: 'x' }], { y: sum('') }],
    ['with a file that is not as its list says', [{ name: 'cairn/x', content: 'x' }], { x: sum('y') }],
    ['without a file that its list names', [{ name: 'cairn/x', content: 'x' }], { x: sum('x'), y: sum('y') }],
    ['without a list', [{ name: 'cairn/x', content: 'x' }], {}],
  ];
  it.each(refused)('%s', async (_title, members, listed) => {
    await expect(unpack(await archiveOf(members, listed))).rejects.toMatchObject({
      code: 'update_archive_unsuitable',
    });
    expect(existsSync(target())).toBe(false);
    expect(readdirSync(home).sort()).toEqual(['archive.tar.gz', 'opt']);
  });
  it.each([
    ['that is cut short', async () => (await archiveOf(good)).subarray(0, 150)],
    ['that is something else', async () => Buffer.from('something else')],
    ['whose tar is cut short', async () => gzipSync(Buffer.alloc(700, 'x'))],
  ])('%s', async (_title, bytes) => {
    await expect(unpack(await bytes())).rejects.toMatchObject({ code: 'update_archive_unsuitable' });
    expect(existsSync(target())).toBe(false);
  });
  it('that was exchanged since it was signed', async () => {
    await expect(unpack(await archiveOf(good), sum('another'))).rejects.toMatchObject({
      code: 'update_archive_unsuitable',
    });
    expect(existsSync(target())).toBe(false);
  });
});
