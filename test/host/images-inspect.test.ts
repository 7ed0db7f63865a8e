/** Disk images that somebody else made, with the real qemu-img: those that reach for other files are refused by name. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '$lib/shared/wire/images';
import { expectNoLeaks, traces } from '../support/leaks';
import { makePool, microRequest, mustSucceed, startHost, type Machines } from '../support/machines';

const before = traces();
let machines: Omit<Machines, 'imageId'>;
let folder = '';

beforeAll(async () => {
  machines = await startHost();
  await makePool(machines.appliance);
  const [row] = machines.appliance.query<{ mount_path: string }>('SELECT mount_path FROM pools');
  folder = join(row?.mount_path ?? '', 'foreign');
  mkdirSync(folder);
  make('-f', 'qcow2', 'whole.qcow2', '10M');
  make('-f', 'qcow2', '-b', '/etc/shadow', '-F', 'raw', '-u', 'backed.qcow2', '10M');
  make('-f', 'qcow2', '-o', 'data_file=secret.raw,data_file_raw=on', 'data.qcow2', '10M');
  make('-f', 'vmdk', 'whole.vmdk', '10M');
  make('-f', 'vmdk', '-o', 'subformat=monolithicFlat', 'flat.vmdk', '10M');
  make('-f', 'vpc', 'whole.vhd', '10M');
  make('-f', 'vhdx', 'whole.vhdx', '10M');
  make('-f', 'qcow2', 'ubuntu-24.04-server-cloudimg-amd64.img', '10M');
  writeFileSync(join(folder, 'junk.qcow2'), 'nothing of the kind');
  for (const name of execFileSync('/usr/bin/ls', [folder], { encoding: 'utf8' }).trim().split('\n')) {
    const when = Date.now() / 1_000 - 60;
    utimesSync(join(folder, name), when, when);
  }
  await machines.appliance.rest('POST', '/images/look');
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

function make(...argv: string[]): void {
  execFileSync('/usr/bin/qemu-img', ['create', '-q', ...argv], { cwd: folder });
}
async function image(name: string): Promise<Image | undefined> {
  const { body } = await machines.appliance.rest<{ images: Image[] }>('GET', '/images');
  return body.images.find((one) => one.name === name);
}
async function inspected(name: string, badge: string): Promise<Image> {
  for (let tries = 0; tries < 200; tries += 1) {
    const now = await image(name);
    if (now?.badge === badge) return now;
    await sleep(25);
  }
  throw new Error(`${name} did not become ${badge}: ${JSON.stringify(await image(name))}`);
}
async function creation(name: string): Promise<{ status: number; text: string }> {
  const { status, body } = await machines.appliance.rest(
    'POST',
    '/vms',
    microRequest((await image(name))?.id ?? ''),
  );
  return { status, text: JSON.stringify(body) };
}

describe('a disk image of somebody else’s', () => {
  it('is told by what is in it: its size, and Ubuntu’s .img as the qcow2 that it is', async () => {
    expect(await inspected('whole.qcow2', 'ready')).toMatchObject({ virtualBytes: 10 * 1024 ** 2 });
    expect(await inspected('ubuntu-24.04-server-cloudimg-amd64.img', 'ready')).toMatchObject({
      ...{ format: 'qcow2', kind: 'cloud', defaultUser: 'ubuntu' },
    });
  });

  it.each([
    ['backed.qcow2', /needs another file \(a backing file\)/],
    ['data.qcow2', /lies in another file/],
    ['flat.vmdk', /only describes a disk that lies in other files/],
    ['junk.qcow2', /no qcow2 file, whatever its name says/],
  ])('is refused when it is no disk of its own: %s', async (name, why) => {
    expect((await inspected(name, 'refused')).badgeText).toMatch(why);
    const { status, text } = await creation(name);
    expect(status).toBe(409);
    expect(text).toContain('image_unsupported');
    expect(text).toMatch(why);
  });

  it.each(['whole.vmdk', 'whole.vhd', 'whole.vhdx'])('has to be converted first: %s', async (name) => {
    expect((await inspected(name, 'needs-conversion')).badgeText).toMatch(/qcow2 and raw/);
    expect((await creation(name)).text).toContain('image_unsupported');
  });

  it.each(['whole.vmdk', 'whole.vhd', 'whole.vhdx'])(
    'is converted beside it, and can be a machine then: %s',
    async (name) => {
      const source = await inspected(name, 'needs-conversion');
      const { appliance } = machines;
      const operation = await mustSucceed(
        appliance,
        await appliance.rest('POST', `/images/${source.id}/convert`),
      );
      const { body: made } = await appliance.rest<Image>('GET', `/images/${operation.subject.id}`);
      expect(made).toMatchObject({ badge: 'ready', origin: 'converted', format: 'qcow2' });
      execFileSync('/usr/bin/qemu-img', ['check', '-q', '-f', 'qcow2', made.path ?? '']);
      expect((await image(name))?.badge).toBe('needs-conversion');
      expect(existsSync(join(dirname(made.path ?? ''), `${made.name}.part`))).toBe(false);
    },
  );

  it.each(['backed.qcow2', 'flat.vmdk', 'junk.qcow2'])(
    'is not converted when it is refused: %s',
    async (name) => {
      const { id } = await inspected(name, 'refused');
      const { status, body } = await machines.appliance.rest('POST', `/images/${id}/convert`);
      expect(status).toBe(409);
      expect(JSON.stringify(body)).toContain('image_unsupported');
    },
  );

  it('is inspected again right before a machine is made from it', async () => {
    await inspected('whole.qcow2', 'ready');
    // As large as the one before, and there at once: another size would be refused for that, as soon as it is seen.
    make('-f', 'qcow2', '-b', '/etc/shadow', '-F', 'raw', '-u', 'other.new', '10M');
    const [whole, other] = [join(folder, 'whole.qcow2'), join(folder, 'other.new')];
    truncateSync(other, statSync(whole).size);
    renameSync(other, whole);
    const { status, text } = await creation('whole.qcow2');
    expect(status).toBe(409);
    expect(text).toMatch(/backing file/);
    expect(machines.appliance.query('SELECT id FROM vms')).toEqual([]);
  });
});
