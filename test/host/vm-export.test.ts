/** The disk of a machine as an image, on a real libvirtd with real QEMU: it is downloaded whole, and another machine starts from it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '$lib/shared/wire/images';
import { expectNoLeaks, traces } from '../support/leaks';
import { microRequest, mustSucceed, startMachines, vmNamed, type Machines } from '../support/machines';

const before = traces();
let machines: Machines;
let path = '';
let folder = '';

beforeAll(async () => {
  machines = await startMachines();
  const asked = await rest<{ vmId: string }>('POST', '/vms', microRequest(machines.imageId));
  await mustSucceed(machines.appliance, asked);
  path = `/vms/${asked.body.vmId}`;
  folder = (await vmNamed(machines.appliance, 'web'))?.folder ?? '';
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const exported = (body: Record<string, unknown>) =>
  rest<{ imageId: string; operationId: string }>('POST', `${path}/export`, body);
const codeOf = async (asked: ReturnType<typeof rest>): Promise<unknown> =>
  ((await asked).body as { error?: { code: string } }).error?.code;
const qemuIo = (disk: string, command: string): string =>
  spawnSync('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', command, disk], { encoding: 'utf8' }).stdout;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const fetched = (where: string, range?: string): Promise<Response> =>
  fetch(`${machines.appliance.url}/api/v1${where}`, {
    headers: { cookie: machines.appliance.cookie, connection: 'close', ...(range ? { range } : {}) },
  });

let image: Image | undefined;

describe('the disk of a machine', () => {
  it('is exported while the machine is off, and under a name that is one', async () => {
    expect(await codeOf(exported({ name: 'golden' }))).toBe('vm_wrong_state');
    await mustSucceed(machines.appliance, await rest('POST', `${path}/stop`, { graceSeconds: 0 }));
    expect(await codeOf(exported({ name: '../etc' }))).toBe('vm_name_invalid');
  });

  it('becomes an image that needs no other file, with what the machine has written', async () => {
    qemuIo(join(folder, 'disk.qcow2'), 'write -P 97 4M 64k');
    const asked = await exported({ name: 'golden' });
    const operation = await mustSucceed(machines.appliance, asked);
    expect(operation.title).toBe('Export web as golden.qcow2');
    image = (await rest<Image>('GET', `/images/${asked.body.imageId}`)).body;
    expect(image).toMatchObject({ name: 'golden.qcow2', badge: 'ready', format: 'qcow2', kind: 'disk' });
    const file = image.path ?? '';
    expect(existsSync(`${file}.part`)).toBe(false);
    const info = spawnSync('/usr/bin/qemu-img', ['info', '--output=json', file], { encoding: 'utf8' }).stdout;
    expect(JSON.parse(info)).not.toHaveProperty('backing-filename');
    expect(JSON.parse(info)).toMatchObject({ 'virtual-size': microRequest('').diskBytes });
    expect(qemuIo(file, 'read -P 97 4M 64k')).not.toMatch(/failed/);
    expect(await codeOf(exported({ name: 'golden' }))).toBe('file_exists');
  });

  it('is downloaded whole, and goes on from where it broke', async () => {
    const { id, path: file } = image ?? { id: '', path: '' };
    const bytes = readFileSync(file ?? '');
    const whole = await fetched(`/images/${id}/file`);
    expect(whole.headers.get('content-disposition')).toContain('golden.qcow2');
    expect(sha256(Buffer.from(await whole.arrayBuffer()))).toBe(sha256(bytes));
    const rest2 = await fetched(`/images/${id}/file`, 'bytes=1000-');
    expect(rest2.status).toBe(206);
    expect(rest2.headers.get('content-range')).toBe(`bytes 1000-${bytes.length - 1}/${bytes.length}`);
    expect(Buffer.from(await rest2.arrayBuffer()).equals(bytes.subarray(1_000))).toBe(true);
    expect((await fetched(`/images/${id}/file`, `bytes=${bytes.length}-`)).status).toBe(416);
    expect((await fetch(`${machines.appliance.url}/api/v1/images/${id}/file`)).status).toBe(401);
  });

  it('is what another machine begins as, and starts from', async () => {
    const request = microRequest(image?.id ?? '', { name: 'web-2', disk: 'copy' });
    await mustSucceed(machines.appliance, await rest('POST', '/vms', request));
    await machines.libvirt.guestListens('web-2');
  });
});
