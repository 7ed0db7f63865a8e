/** What is signed as a release is, read from a folder and from a server, with a real database. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKey, writeManifest } from '../../src/release-manifest.mjs';
import { createUpdates, type Updates } from '$lib/server/updates/updates';
import { startFileServer, sha256, type FileServer } from '../support/file-server';
import { createServiceBench, type ServiceBench } from '../support/services';

let bench: ServiceBench;
let server: FileServer;
let folder: string;
let keyPath: string;
beforeEach(async () => {
  bench = createServiceBench();
  server = await startFileServer();
  folder = join(bench.dir, 'channel');
  keyPath = join(bench.dir, 'release.key');
  mkdirSync(folder);
  makeKey(keyPath);
});
afterEach(async () => {
  await server.close();
  bench.close();
});

const archive = Buffer.from('an archive');
function release(version: string, date = '2030-01-01T00:00:00.000Z', key = keyPath): void {
  writeFileSync(join(folder, `cairn-${version}-linux-x64.tar.gz`), archive);
  writeManifest({ folder, version, date, notes: 'Faster.', minimumVersion: '1.0.0', keyPath: key });
  for (const name of ['cairn-manifest.json', 'cairn-manifest.json.sig'])
    server.files.set(`/${name}`, { content: readFileSync(join(folder, name)) });
}
const updates = (updateChannel: string | null = folder, architecture = 'x64', version = '1.0.0'): Updates =>
  createUpdates({
    ...{ db: bench.db, bus: bench.services.bus, clock: bench.services.clock, version, architecture },
    config: { updateChannel, updateKeysPath: `${keyPath}.pub` },
  });

describe('a look for updates', () => {
  it.each([
    ['a folder', () => folder],
    ['a server', () => server.url],
  ])('finds in %s what was released and signed, and remembers it', async (_title, channel) => {
    release('1.1.0');
    expect(updates(channel()).view()).toMatchObject({ state: 'unknown', checkedAt: null });
    await updates(channel()).check();
    expect(updates(channel()).view()).toMatchObject({
      ...{ state: 'available', failure: null, version: '1.0.0' },
      offered: {
        ...{ version: '1.1.0', notes: 'Faster.' },
        file: { name: 'cairn-1.1.0-linux-x64.tar.gz', sizeBytes: 10, sha256: sha256(archive) },
      },
    });
    expect(updates(channel(), 'arm64').view().version).toBe('1.0.0');
  });

  it('tells of another architecture', async () => {
    release('1.1.0');
    expect(await updates(folder, 'arm64').check()).toMatchObject({
      state: 'unsuitable',
      why: 'Version 1.1.0 is not made for arm64.',
    });
  });

  it('believes nobody but the key of this installation, and says what it found before', async () => {
    release('1.1.0');
    await updates().check();
    const other = join(bench.dir, 'other.key');
    makeKey(other);
    release('1.2.0', '2031-01-01T00:00:00.000Z', other);
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_signature_wrong' });
    expect(updates().view()).toMatchObject({
      failure: { code: 'update_signature_wrong' },
      offered: { version: '1.1.0' },
    });
  });

  it('refuses an old manifest that is played again, also after a failure', async () => {
    release('1.2.0');
    await updates().check();
    release('1.1.0');
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_replayed' });
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_replayed' });
    release('0.9.0');
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_downgrade' });
    expect(updates().view().offered?.version).toBe('1.2.0');
  });

  it('tells since when a version is offered, until it is installed or skipped', async () => {
    release('1.1.0');
    await updates().check();
    const since = updates().view().offeredSince;
    bench.advance(86_400_000);
    await updates().check();
    expect(updates().news()).toEqual({
      newer: { version: '1.1.0', since, unsuitable: null },
      failing: null,
    });
    expect(() => updates().skip({ version: '1.2.0', skip: true })).toThrow(
      expect.objectContaining({ code: 'update_changed' }),
    );
    expect(updates().skip({ version: '1.1.0', skip: true })).toMatchObject({
      ...{ state: 'available', skipped: true, offeredSince: since },
    });
    expect(updates().news().newer).toBeNull();
    expect(updates().skip({ version: '1.1.0', skip: false }).skipped).toBe(false);
    updates().skip({ version: '1.1.0', skip: true });
    expect(updates(folder, 'x64', '1.1.0').news().newer).toBeNull();
    // Of the next one people are told, from its own beginning on.
    release('1.2.0');
    await updates().check();
    expect(updates().news().newer?.version).toBe('1.2.0');
    expect(updates().view().offeredSince).toBeGreaterThanOrEqual((since ?? 0) + 86_400_000);
    expect(updates(null).news()).toEqual({ newer: null, failing: null });
  });

  it('tells since when each look failed, and what was offered before', async () => {
    release('1.1.0');
    await updates().check();
    writeFileSync(join(folder, 'cairn-manifest.json.sig'), '');
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_signature_wrong' });
    const failing = updates().news().failing;
    bench.advance(86_400_000);
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_signature_wrong' });
    expect(updates().news()).toMatchObject({ newer: { version: '1.1.0' }, failing });
    release('1.1.0');
    await updates().check();
    expect(updates().news().failing).toBeNull();
  });

  it('names what is missing', async () => {
    await expect(updates(null).check()).rejects.toMatchObject({ code: 'update_channel_missing' });
    await updates(null).checkDaily();
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_channel_unreadable' });
    await expect(updates(server.url).check()).rejects.toMatchObject({ code: 'update_channel_unreadable' });
    release('1.1.0');
    server.files.set('/cairn-manifest.json', { content: Buffer.alloc(70_000) });
    writeFileSync(join(folder, 'cairn-manifest.json'), Buffer.alloc(70_000));
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_channel_unreadable' });
    await expect(updates(server.url).check()).rejects.toMatchObject({ code: 'update_channel_unreadable' });
    writeFileSync(`${keyPath}.pub`, '');
    await expect(updates().check()).rejects.toMatchObject({ code: 'update_keys_missing' });
  });
});

describe('a key of whoever releases', () => {
  it('is read by its owner only, and never written over', () => {
    expect(statSync(keyPath).mode & 0o777).toBe(0o600);
    expect(() => makeKey(keyPath)).toThrow(/EEXIST/);
  });
});
