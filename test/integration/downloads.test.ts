import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DownloadAction } from '$lib/plugin-api/plan';
import { download, downloadProgress, undoDownload } from '$lib/server/host/download';
import { downloaded } from '$lib/server/host/download-look';
import { openUrl } from '$lib/server/host/open-url';
import { sha256, startFileServer, type FileServer } from '../support/file-server';

const MIB = 1024 ** 2;
const never = new AbortController().signal;

let dir: string;
let server: FileServer;
let content: Buffer;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'cairn-download-'));
  server = await startFileServer();
  content = randomBytes(3 * MIB);
});
afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

const action = (change: Partial<DownloadAction> = {}): DownloadAction => ({
  ...{ do: 'download', url: `${server.url}/file.iso`, path: join(dir, 'file.iso'), mode: 0o644 },
  ...{ sizeBytes: content.length, checksum: { algorithm: 'sha256', hex: sha256(content) } },
  ...{ maxBytes: 100 * MIB, allowPrivate: true, patienceMs: 5_000 },
  ...change,
});
const look = (wanted = action()) =>
  downloaded({
    path: wanted.path,
    sizeBytes: wanted.sizeBytes,
    checksum: wanted.checksum && { ...wanted.checksum },
  });
const code = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

describe('a download', () => {
  it('gives the file its name only when it is whole, and leaves nothing else', async () => {
    server.files.set('/file.iso', { content });
    expect((await look()).status).toBe('absent');
    await download(action(), never);
    expect(readFileSync(join(dir, 'file.iso')).equals(content)).toBe(true);
    expect(readdirSync(dir)).toEqual(['file.iso']);
    expect(statSync(join(dir, 'file.iso')).mode & 0o777).toBe(0o644);
    expect((await look()).status).toBe('done');
  });

  it('goes on where the connection broke', async () => {
    server.files.set('/file.iso', { content, breakAfterBytes: MIB });
    await download(action(), never);
    expect(readFileSync(join(dir, 'file.iso')).equals(content)).toBe(true);
    const starts = server.asked.map((line) => Number(/bytes=(\d+)-/.exec(line)?.[1] ?? 0));
    expect(starts[0]).toBe(0);
    // What was on its way when the connection broke may be lost, no more.
    for (const [index, start] of starts.entries())
      if (index > 0) expect(start - (starts[index - 1] ?? 0)).toBeGreaterThan(MIB / 2);
    expect(starts.length).toBeGreaterThanOrEqual(3);
  });

  it('goes on after it was cut, from what is safely on disk', async () => {
    server.files.set('/file.iso', { content, slowMs: 30 });
    const abort = new AbortController();
    const cut = code(download(action(), abort.signal));
    while ((downloadProgress(join(dir, 'file.iso'))?.receivedBytes ?? 0) < MIB) await sleep(10);
    abort.abort(new Error('cut'));
    await cut;
    const had = statSync(join(dir, 'file.iso.part')).size;
    expect(had).toBeGreaterThanOrEqual(MIB);
    expect((await look()).status).toBe('partial');
    server.files.set('/file.iso', { content });
    await download(action(), never);
    expect(server.asked.at(-1)).toBe(`GET /file.iso bytes=${had}-`);
    expect(readFileSync(join(dir, 'file.iso')).equals(content)).toBe(true);
  });

  it('does not trust bytes that were not yet synced when the power went', async () => {
    server.files.set('/file.iso', { content });
    writeFileSync(join(dir, 'file.iso.part'), Buffer.concat([content.subarray(0, 1000), Buffer.alloc(5000)]));
    const etag = `"${sha256(content).slice(0, 16)}"`;
    writeFileSync(
      join(dir, 'file.iso.part.json'),
      JSON.stringify({ url: action().url, validator: etag, syncedBytes: 1000 }),
    );
    await download(action({ checksum: null }), never);
    expect(server.asked).toEqual(['GET /file.iso bytes=1000-']);
    expect(readFileSync(join(dir, 'file.iso')).equals(content)).toBe(true);
  });

  it('begins anew when the server has another file by now', async () => {
    const older = randomBytes(3 * MIB);
    server.files.set('/file.iso', { content: older, breakAfterBytes: MIB });
    const cut = code(download(action({ patienceMs: 0 }), never));
    expect(await cut).toBe('download_failed');
    server.files.set('/file.iso', { content });
    await download(action(), never);
    expect(readFileSync(join(dir, 'file.iso')).equals(content)).toBe(true);
  });

  it('begins anew with a server that knows no ranges', async () => {
    server.files.set('/file.iso', { content, breakAfterBytes: MIB });
    await code(download(action({ patienceMs: 0 }), never));
    server.files.set('/file.iso', { content, ranges: false });
    await download(action(), never);
    expect(readFileSync(join(dir, 'file.iso')).equals(content)).toBe(true);
  });

  it('takes a file whose length nobody announced', async () => {
    server.files.set('/file.iso', { content, unknownLength: true });
    await download(action({ sizeBytes: null }), never);
    expect(readFileSync(join(dir, 'file.iso')).equals(content)).toBe(true);
  });
});

describe('a download is refused, and leaves nothing under the name,', () => {
  const refused = async (wanted: DownloadAction): Promise<string> => {
    const result = await code(download(wanted, never));
    expect(existsSync(join(dir, 'file.iso'))).toBe(false);
    return result;
  };
  it('when the checksum is another; the bytes are gone too', async () => {
    server.files.set('/file.iso', { content: randomBytes(content.length) });
    expect(await refused(action())).toBe('download_failed');
    expect(readdirSync(dir)).toEqual([]);
  });
  it('when the server has a file of another size', async () => {
    server.files.set('/file.iso', { content: content.subarray(0, MIB) });
    expect(await refused(action())).toBe('download_failed');
  });
  it('when more comes than was announced', async () => {
    server.files.set('/file.iso', { content, unknownLength: true });
    expect(await refused(action({ sizeBytes: MIB }))).toBe('download_failed');
  });
  it('when the server promises more than it ever sends', async () => {
    server.files.set('/file.iso', { content, claimedBytes: content.length + 10, ranges: false });
    expect(await refused(action({ sizeBytes: content.length + 10, patienceMs: 1_500 }))).toBe(
      'download_failed',
    );
  });
  it('when it is larger than may be', async () => {
    server.files.set('/file.iso', { content });
    expect(await refused(action({ sizeBytes: null, maxBytes: MIB }))).toBe('download_failed');
  });
  it('when the server does not have it', async () => {
    expect(await refused(action())).toBe('download_failed');
  });
  it('from this host and from private networks, also behind a redirect or a name', async () => {
    server.files.set('/file.iso', { content });
    const before = server.asked.length;
    expect(await refused(action({ allowPrivate: false }))).toBe('address_not_public');
    const port = new URL(server.url).port;
    const named = `http://localhost:${port}/file.iso`;
    expect(await refused(action({ allowPrivate: false, url: named }))).toBe('address_not_public');
    expect(await refused(action({ allowPrivate: false, url: `http://[::1]:${port}/file.iso` }))).toBe(
      'address_not_public',
    );
    expect(server.asked.length).toBe(before);
  });
  it('when redirects never end, or lead to something that is no web address', async () => {
    server.files.set('/file.iso', { content, redirect: '/file.iso' });
    expect(await refused(action())).toBe('url_invalid');
    server.files.set('/file.iso', { content, redirect: 'file:///etc/passwd' });
    expect(await refused(action())).toBe('url_invalid');
  });
});

describe('the look at a download', () => {
  it('calls a file that is not the wanted one foreign, and leaves it', async () => {
    writeFileSync(join(dir, 'file.iso'), 'something else');
    expect((await look()).status).toBe('foreign');
    writeFileSync(join(dir, 'file.iso'), randomBytes(content.length));
    expect((await look()).status).toBe('foreign');
    server.files.set('/file.iso', { content });
    expect(await code(download(action(), never))).toBe('foreign_state');
    expect(readFileSync(join(dir, 'file.iso')).equals(content)).toBe(false);
  });
  it('tells while it comes how far it is', async () => {
    server.files.set('/file.iso', { content, slowMs: 20 });
    const abort = new AbortController();
    const work = code(download(action(), abort.signal));
    while ((downloadProgress(join(dir, 'file.iso'))?.receivedBytes ?? 0) < MIB) await sleep(10);
    const seen = await look();
    expect(seen.status).toBe('partial');
    expect(seen.percent).toBeGreaterThan(30);
    expect(seen.evidence).toMatch(/MiB of 3 MiB/);
    abort.abort(new Error('cut'));
    await work;
  });
  it('finds nothing once it was taken back', async () => {
    server.files.set('/file.iso', { content, breakAfterBytes: MIB });
    await code(download(action({ patienceMs: 0 }), never));
    expect((await look()).status).toBe('partial');
    await undoDownload(join(dir, 'file.iso'));
    expect((await look()).status).toBe('absent');
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('an address', () => {
  it.each(['ftp://e.org/x', 'file:///etc/passwd', 'nonsense', 'https://user:secret@e.org/x', 'javascript:1'])(
    '%s is refused',
    async (url) => expect(await code(openUrl(url, { allowPrivate: true }))).toBe('url_invalid'),
  );
});
