/** Images that somebody copies onto a real pool: found, lost and found again with the pool, never in the pool's way. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image, ImageLook } from '$lib/shared/wire/images';
import { Appliance } from '../support/appliance';
import { expectNoLeaks, traces } from '../support/leaks';
import { mustSucceed } from '../support/machines';

const before = traces();
const made = new Appliance({ drives: 1, driveBytes: 512 * 1024 ** 2 });
const GUID = '1c7a0b52-31aa-4d5e-9f43-0d1c2b3a4f77';
let root = '';

beforeAll(async () => {
  await made.start();
  await made.setUp();
  const [drive] = made.query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1');
  await mustSucceed(
    made,
    await made.rest('POST', '/pools', {
      ...{ poolGroupGuid: GUID, label: 'tank', plugin: 'btrfs', layout: 'single' },
      drives: [{ serial: drive?.serial }],
    }),
  );
  root = made.query<{ mount_path: string }>('SELECT mount_path FROM pools')[0]?.mount_path ?? '';
});
afterAll(async () => {
  await made.remove();
  await expectNoLeaks(before, made.dataDir);
});

/** An ISO with this label, written a while ago. */
function put(path: string, label = ''): void {
  const content = Buffer.alloc(40_960);
  content.write('\u0001CD001\u0001', 32_768, 'latin1');
  content.write(label.padEnd(32), 32_808, 'latin1');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  const when = Date.now() / 1_000 - 60;
  utimesSync(path, when, when);
}
const look = async (): Promise<ImageLook> => (await made.rest<ImageLook>('POST', '/images/look')).body;
async function found(): Promise<Image[]> {
  const { body } = await made.rest<{ images: Image[] }>('GET', '/images');
  return body.images.filter(({ origin }) => origin === 'scanned');
}
async function until<T>(what: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const value = await what();
    if (fits(value)) return value;
    await sleep(25);
  }
  throw new Error(`it did not become true: ${JSON.stringify(await what())}`);
}
const names = async (): Promise<string[]> => (await found()).map(({ name }) => name).sort();

describe('images that somebody copies onto a pool', () => {
  it('are found in its folders and subvolumes, with the system that their label names', async () => {
    put(join(root, 'isos/installer.iso'), 'Debian 12.5.0 amd64 n');
    execFileSync('/usr/bin/btrfs', ['subvolume', 'create', join(root, 'share')], { stdio: 'ignore' });
    put(join(root, 'share/alpine-virt-3.20.0-x86_64.iso'));
    // The search that the mount of the new pool caused may have been first.
    expect(await look()).toMatchObject({ pools: 1, incomplete: [], notLookedAt: [] });
    expect(await names()).toEqual(['alpine-virt-3.20.0-x86_64.iso', 'installer.iso']);
    const [installer] = (await found()).filter(({ name }) => name === 'installer.iso');
    expect(installer).toMatchObject({
      ...{ path: join(root, 'isos/installer.iso'), sizeBytes: 40_960, badge: 'ready' },
      ...{ os: { id: 'debian', name: 'Debian', version: '12.5' }, pool: { guid: GUID, label: 'tank' } },
    });
    expect((await look()).found).toBe(0);
  });

  it('are not looked for on other filesystems that are mounted in the pool, nor behind links out of it', async () => {
    const other = join(root, 'other');
    mkdirSync(other);
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', 'tmpfs', other]);
    try {
      put(join(other, 'elsewhere.iso'));
      put(join(made.dataDir, 'outside/secret.iso'));
      symlinkSync(join(made.dataDir, 'outside'), join(root, 'link'));
      expect((await look()).found).toBe(0);
    } finally {
      execFileSync('/usr/bin/umount', [other]);
    }
  });

  it('are seen by themselves when they come into the folder of images', async () => {
    const folder = join(root, 'images');
    mkdirSync(folder);
    await look();
    put(join(root, 'live.iso'));
    renameSync(join(root, 'live.iso'), join(folder, 'live.iso'));
    await until(names, (now) => now.includes('live.iso'));
  });

  it('stay in the list, missing, while the pool is away, also after a crash; new ones are found as it comes back', async () => {
    await mustSucceed(made, await made.rest('POST', `/pools/${GUID}/unmount`));
    expect((await found()).map(({ badge }) => badge)).toEqual(['missing', 'missing', 'missing']);
    await made.kill();
    await made.start();
    expect((await found()).map(({ badge }) => badge)).toEqual(['missing', 'missing', 'missing']);
    await mustSucceed(made, await made.rest('POST', `/pools/${GUID}/mount`));
    await until(found, (now) => now.every(({ badge }) => badge === 'ready'));
    expect(await found()).toHaveLength(3);
  });

  it('are not called ready any more once the operation that unmounts their pool has ended', async () => {
    // Whoever tells of changes of the mount table is slow today.
    const [watcher] = execFileSync('/usr/bin/pgrep', ['-P', String(made.pid), '-f', 'mountinfo'], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .map(Number);
    if (!watcher) throw new Error('nobody watches the mount table');
    process.kill(watcher, 'SIGSTOP');
    try {
      for (const [verb, badges] of [
        ['unmount', ['missing', 'missing', 'missing']],
        ['mount', ['ready', 'ready', 'ready']],
      ] as const) {
        const { body } = await made.rest<{ operationId: string }>('POST', `/pools/${GUID}/${verb}`);
        // Nobody can hear of the end sooner than from the journal itself.
        const state = () =>
          made.query<{ state: string }>('SELECT state FROM operations WHERE id = ?', body.operationId)[0]
            ?.state;
        while (state() === 'running') await sleep(0);
        expect([state(), (await found()).map(({ badge }) => badge)]).toEqual(['succeeded', badges]);
      }
    } finally {
      process.kill(watcher, 'SIGCONT');
    }
  });

  it('never keep the pool from being unmounted: a search that goes on makes way', async () => {
    for (let folder = 0; folder < 100; folder += 1)
      for (let file = 0; file < 100; file += 1) {
        const path = join(root, 'many', String(folder), `${file}.txt`);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, '');
      }
    for (let round = 0; round < 5; round += 1) {
      const looking = look();
      await sleep(5 * round);
      await mustSucceed(made, await made.rest('POST', `/pools/${GUID}/unmount`));
      await looking;
      await mustSucceed(made, await made.rest('POST', `/pools/${GUID}/mount`));
    }
    await until(found, (now) => now.every(({ badge }) => badge === 'ready'));
  });

  it('leave the list without their file, or go with it, as asked', async () => {
    const [installer] = (await found()).filter(({ name }) => name === 'installer.iso');
    const [live] = (await found()).filter(({ name }) => name === 'live.iso');
    expect((await made.rest('POST', `/images/${installer?.id}/forget`)).status).toBe(200);
    expect(existsSync(join(root, 'isos/installer.iso'))).toBe(true);
    await mustSucceed(made, await made.rest('DELETE', `/images/${live?.id}`));
    expect(existsSync(join(root, 'images/live.iso'))).toBe(false);
    expect(await names()).toEqual(['alpine-virt-3.20.0-x86_64.iso']);
    expect((await made.rest('POST', `/images/${installer?.id}/forget`)).status).toBe(404);
  });
});
