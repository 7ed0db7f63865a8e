import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTree, treeDigest, treeOfArchive, writeTree } from '$lib/server/host/file-tree';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-tree-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function archive(...entries: [Partial<Header> & { name: string }, string?][]): Promise<Buffer> {
  const stream = pack();
  for (const [header, text] of entries) stream.entry(header, text ?? '');
  stream.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

it('is the same from a folder, from an archive and from one with a folder around it, packed or not', async () => {
  mkdirSync(join(folder, 'lib'));
  mkdirSync(join(folder, '.git'));
  writeFileSync(join(folder, 'plugin.json'), '{}');
  writeFileSync(join(folder, 'lib/a.js'), 'a');
  writeFileSync(join(folder, '.git/config'), 'not of the plugin');
  const digest = treeDigest(await readTree(folder, { skipHidden: true }));
  const plain = await archive(
    [{ name: './', type: 'directory' }],
    [{ name: './lib/a.js' }, 'a'],
    [{ name: './plugin.json' }, '{}'],
  );
  const around = await archive([{ name: 'x-1.0/plugin.json' }, '{}'], [{ name: 'x-1.0/lib/a.js' }, 'a']);
  for (const bytes of [plain, gzipSync(plain), around])
    expect(treeDigest(await treeOfArchive(bytes, 'plugin.json'))).toBe(digest);
  const target = join(folder, 'written');
  await writeTree(target, await treeOfArchive(plain, 'plugin.json'));
  expect(treeDigest(await readTree(target))).toBe(digest);
  expect(readdirSync(folder)).not.toContain('written.part');
});

it.each<[string, [Partial<Header> & { name: string }, string?][]]>([
  ['a name that leads out', [[{ name: '../evil' }, 'x']]],
  ['a name that leads out from within', [[{ name: 'lib/../../evil' }, 'x']]],
  ['an absolute name', [[{ name: '/etc/evil' }, 'x']]],
  ['a symbolic link', [[{ name: 'a', type: 'symlink', linkname: '/etc/passwd' }]]],
  ['a link', [[{ name: 'a', type: 'link', linkname: '/etc/passwd' }]]],
  ['a device', [[{ name: 'a', type: 'character-device' }]]],
  ['a pipe', [[{ name: 'a', type: 'fifo' }]]],
  [
    'the same file twice',
    [
      [{ name: 'a' }, 'x'],
      [{ name: 'a' }, 'y'],
    ],
  ],
  ['a name of control characters', [[{ name: 'a\u001b[2J' }, 'x']]],
])('refuses an archive with %s', async (_what, entries) => {
  await expect(treeOfArchive(await archive(...entries), 'plugin.json')).rejects.toMatchObject({
    code: 'plugin_unsuitable',
  });
});

it.each([
  ['what is no archive', Buffer.from('hello'.repeat(300))],
  ['a damaged gzip', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(40, 7)])],
  ['what grows beyond all measure', gzipSync(Buffer.alloc(40 * 1024 ** 2))],
])('refuses %s', async (_what, bytes) => {
  await expect(treeOfArchive(bytes, 'plugin.json')).rejects.toMatchObject({ code: 'plugin_unsuitable' });
});

it('refuses a folder with a link in it', async () => {
  symlinkSync('/etc/passwd', join(folder, 'a'));
  await expect(readTree(folder)).rejects.toMatchObject({ code: 'plugin_unsuitable' });
});
