/** A whole machine in one file, with the real qemu-img and tar, on a real libvirtd: exported, and looked into by others' tools. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '$lib/shared/wire/images';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  ended,
  MIB,
  microRequest,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
const scratch = mkdtempSync(join(tmpdir(), 'cairn-ova-'));
let machines: Machines;
let path = '';
let folder = '';

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const exported = (body: Record<string, unknown>) =>
  rest<{ imageId: string; operationId: string }>('POST', `${path}/export`, { format: 'ova', ...body });
const codeOf = async (asked: ReturnType<typeof rest>): Promise<unknown> =>
  ((await asked).body as { error?: { code: string } }).error?.code;
const write = (disk: string, command: string): void => {
  execFileSync('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', command, join(folder, disk)]);
};
const compare = (disk: string, vmdk: string) =>
  spawnSync('/usr/bin/qemu-img', ['compare', '-f', 'qcow2', '-F', 'vmdk', join(folder, disk), vmdk], {
    encoding: 'utf8',
  }).stdout.trim();

beforeAll(async () => {
  machines = await startMachines();
  const asked = await rest<{ vmId: string }>('POST', '/vms', microRequest(machines.imageId));
  await mustSucceed(machines.appliance, asked);
  path = `/vms/${asked.body.vmId}`;
  folder = (await vmNamed(machines.appliance, 'web'))?.folder ?? '';
  await mustSucceed(machines.appliance, await rest('POST', `${path}/stop`, { graceSeconds: 0 }));
  await mustSucceed(machines.appliance, await rest('POST', `${path}/disks`, { sizeBytes: 20 * MIB }));
  write('disk.qcow2', 'write -P 97 4M 64k');
  write('disk-2.qcow2', 'write -P 51 0 3M');
}, 120_000);
afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

let image: Image | undefined;

describe('a machine in one file', () => {
  it('has all its disks, where an image of its first one alone would not be all of it', async () => {
    expect(await codeOf(exported({ name: 'golden', format: 'qcow2' }))).toBe('not_supported');
    expect(await codeOf(exported({ name: 'golden', format: 'vhd' }))).not.toBeUndefined();
    const asked = await exported({ name: 'golden' });
    const operation = await mustSucceed(machines.appliance, asked);
    expect(operation.title).toBe('Export web as golden.ova');
    image = (await rest<Image>('GET', `/images/${asked.body.imageId}`)).body;
    expect(image).toMatchObject({ name: 'golden.ova', badge: 'ready', format: 'ova', kind: 'ova' });
    expect(readdirSync(dirname(image.path ?? '')).filter((name) => /golden/.test(name))).toEqual([
      'golden.ova',
    ]);
  });

  it('begins with the descriptor, and ends with checksums that hold', () => {
    const file = image?.path ?? '';
    const list = execFileSync('/usr/bin/tar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n');
    expect(list).toEqual(['golden.ovf', 'golden-disk1.vmdk', 'golden-disk2.vmdk', 'golden.mf']);
    expect(readFileSync(file).toString('latin1', 257, 265)).toBe('ustar\0' + '00');
    execFileSync('/usr/bin/tar', ['-xf', file, '-C', scratch]);
    const manifest = readFileSync(join(scratch, 'golden.mf'), 'utf8').trim().split('\n');
    expect(manifest).toEqual(
      list.slice(0, 3).map((name) => {
        const sum = createHash('sha256')
          .update(readFileSync(join(scratch, name)))
          .digest('hex');
        return `SHA256(${name})= ${sum}`;
      }),
    );
  });

  it('has the bytes of the disks, in the one kind of vmdk that others take', () => {
    for (const [disk, vmdk] of [
      ['disk.qcow2', 'golden-disk1.vmdk'],
      ['disk-2.qcow2', 'golden-disk2.vmdk'],
    ] as const) {
      expect(compare(disk, join(scratch, vmdk))).toBe('Images are identical.');
      expect(readFileSync(join(scratch, vmdk)).toString('latin1', 0, 2_048)).toContain('streamOptimized');
    }
  });

  it('is downloaded under its name', async () => {
    const answer = await fetch(`${machines.appliance.url}/api/v1/images/${image?.id ?? ''}/file`, {
      headers: { cookie: machines.appliance.cookie, connection: 'close', range: 'bytes=0-9' },
    });
    expect(answer.headers.get('content-disposition')).toContain('golden.ova');
    expect(await answer.text()).toBe('golden.ovf');
  });

  it('is what another machine begins as, with the bytes of all its disks', async () => {
    await expect
      .poll(async () => (await rest<Image>('GET', `/images/${image?.id ?? ''}`)).body.machine)
      .toMatchObject({ name: 'golden', cpus: 1, memoryBytes: 32 * MIB, diskBytes: [10 * MIB, 20 * MIB] });
    const small = microRequest(image?.id ?? '', { name: 'web-2', diskBytes: 5 * MIB });
    expect(await codeOf(rest('POST', '/vms', small))).toBe('disk_too_small');
    const asked = await rest<{ vmId: string }>('POST', '/vms', { ...small, diskBytes: 12 * MIB });
    const operation = await mustSucceed(machines.appliance, asked);
    expect(operation.steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['check-package', 'remove-note', 'copy-image', 'copy-image-2', 'define']),
    );
    await machines.libvirt.guestListens('web-2');
    await mustSucceed(
      machines.appliance,
      await rest('POST', `/vms/${asked.body.vmId}/stop`, { graceSeconds: 0 }),
    );
    const made = await vmNamed(machines.appliance, 'web-2');
    expect(made).toMatchObject({ disk: 'copy', diskBytes: 32 * MIB });
    expect(readdirSync(made?.folder ?? '').toSorted()).toEqual(['disk-2.qcow2', 'disk.qcow2']);
    const second = join(made?.folder ?? '', 'disk-2.qcow2');
    execFileSync('/usr/bin/qemu-img', [
      'compare',
      '-f',
      'qcow2',
      '-F',
      'qcow2',
      join(folder, 'disk-2.qcow2'),
      second,
    ]);
    const first = join(made?.folder ?? '', 'disk.qcow2');
    // What is longer in one of them is empty.
    execFileSync('/usr/bin/qemu-img', [
      'compare',
      '-f',
      'qcow2',
      '-F',
      'qcow2',
      join(folder, 'disk.qcow2'),
      first,
    ]);
    // Nothing is needed of the package any more.
    expect((await rest('GET', `/images/${image?.id ?? ''}`)).status).toBe(200);
  });

  it('is not taken when one byte of it is another one, and leaves nothing of a machine', async () => {
    const file = image?.path ?? '';
    const bad = readFileSync(file);
    const at = bad.lastIndexOf(Buffer.from('golden.mf')) - 1_024;
    bad.writeUInt8((bad.readUInt8(at) + 1) % 256, at);
    const path = join(dirname(file), 'bad.ova');
    writeFileSync(path, bad);
    const when = Date.now() / 1_000 - 60;
    utimesSync(path, when, when);
    await rest('POST', '/images/look');
    const found = (await rest<{ images: Image[] }>('GET', '/images')).body.images.find(
      ({ name }) => name === 'bad.ova',
    );
    expect(found).toMatchObject({ kind: 'ova', origin: 'scanned' });
    const asked = await rest<{ vmId: string; operationId: string }>(
      'POST',
      '/vms',
      microRequest(found?.id ?? '', { name: 'web-3' }),
    );
    const operation = await ended(machines.appliance, asked.body.operationId);
    expect([operation.state, operation.error?.code]).toEqual(['failed', 'image_damaged']);
    expect(operation.error?.message).toContain('golden-disk2.vmdk');
    expect(existsSync(join(dirname(folder), 'web-3'))).toBe(false);
  });

  it('leaves nothing when it is cancelled', async () => {
    write('disk-2.qcow2', 'write -P 3 3M 16M');
    const asked = await exported({ name: 'never' });
    await rest('POST', `/operations/${asked.body.operationId}/cancel`);
    expect((await ended(machines.appliance, asked.body.operationId)).state).toBe('cancelled');
    const images = dirname(image?.path ?? '');
    expect(readdirSync(images).filter((name) => /never/.test(name))).toEqual([]);
    expect(existsSync(join(folder, 'disk-2.qcow2'))).toBe(true);
    expect((await rest('GET', `/images/${asked.body.imageId}`)).status).toBe(404);
  });
});
