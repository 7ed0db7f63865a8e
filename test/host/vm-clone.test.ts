/** Clones of machines on a real libvirtd with real QEMU: what is on the disk comes along, what makes a machine that one does not. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  deleteForGood,
  microRequest,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2gqCq7rYHq0mF3Y1gqj4D8pK4oZ2e7nB6Uq3nJt5Xk ann@desk';
const CLONE_ID = '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
let machines: Machines;
let path = '';
let source = '';

beforeAll(async () => {
  machines = await startMachines();
  const asked = await rest<{ vmId: string }>('POST', '/vms', {
    ...microRequest(machines.imageId),
    cloudInit: { user: 'ann', sshKeys: [KEY], password: 'a guest password' },
  });
  await mustSucceed(machines.appliance, asked);
  path = `/vms/${asked.body.vmId}`;
  source = (await vmNamed(machines.appliance, 'web'))?.folder ?? '';
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const clone = (change: Record<string, unknown> = {}) =>
  rest<{ vmId: string; operationId: string }>('POST', `${path}/clone`, { name: 'web-2', ...change });
const codeOf = async (asked: ReturnType<typeof rest>): Promise<unknown> =>
  ((await asked).body as { error?: { code: string } }).error?.code;
const qemuIo = (disk: string, command: string): string =>
  spawnSync('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', command, disk], { encoding: 'utf8' }).stdout;
const macsOf = (name: string): string[] =>
  machines.libvirt.virsh('dumpxml', '--inactive', name).stdout.match(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/g) ?? [];

describe('a machine that is cloned', () => {
  it('has to be off, with all that it is at work on its disk', async () => {
    expect(await codeOf(clone())).toBe('vm_wrong_state');
    await machines.libvirt.guestListens('web');
    await mustSucceed(machines.appliance, await rest('POST', `${path}/save`));
    expect(await codeOf(clone())).toBe('vm_wrong_state');
    await mustSucceed(machines.appliance, await rest('DELETE', `${path}/saved-memory`));
  });

  it('gives another one its disk, and no name, number or address', async () => {
    qemuIo(join(source, 'disk.qcow2'), 'write -P 97 4M 64k');
    await mustSucceed(machines.appliance, await rest('POST', `${path}/snapshots`, { name: 'first' }));
    const asked = await clone({ id: CLONE_ID });
    expect(asked.body.vmId).toBe(CLONE_ID);
    const operation = await mustSucceed(machines.appliance, asked);
    expect(operation.title).toBe('Clone web as web-2');
    const made = await vmNamed(machines.appliance, 'web-2');
    expect(made).toMatchObject({ id: CLONE_ID, state: 'stopped', disk: 'copy', user: 'ann', cpus: 1 });
    const folder = made?.folder ?? '';
    expect(readdirSync(folder).sort()).toEqual(['disk.qcow2', 'meta-data', 'seed.iso', 'user-data']);
    const disk = join(folder, 'disk.qcow2');
    expect(qemuIo(disk, 'read -P 97 4M 64k')).not.toMatch(/failed/);
    const info = spawnSync('/usr/bin/qemu-img', ['info', '--output=json', disk], { encoding: 'utf8' }).stdout;
    expect(JSON.parse(info)).not.toHaveProperty('backing-filename');
    expect(JSON.parse(info)).not.toHaveProperty('snapshots');
    expect(readFileSync(join(folder, 'meta-data'), 'utf8')).toContain(CLONE_ID);
    const userData = readFileSync(join(folder, 'user-data'), 'utf8');
    expect(userData).toContain('hostname: "web-2"');
    expect(userData).toContain('ann@desk');
    expect(readFileSync(join(folder, 'seed.iso'), 'latin1')).not.toContain('$6$');
    expect(macsOf('web-2')).toHaveLength(1);
    expect(macsOf('web-2')).not.toEqual(macsOf('web'));
  });

  it('is the same clone when it is asked for twice with its id', async () => {
    expect((await clone({ id: CLONE_ID })).body.vmId).toBe(CLONE_ID);
    expect(machines.appliance.query('SELECT id FROM vms')).toHaveLength(2);
    expect(await codeOf(clone({ id: CLONE_ID, name: 'other' }))).toBe('vm_wrong_state');
  });

  it('runs on beside its clone, and each can be removed without the other', async () => {
    for (const where of [path, `/vms/${CLONE_ID}`])
      await mustSucceed(machines.appliance, await rest('POST', `${where}/start`));
    await machines.libvirt.guestListens('web-2');
    for (const where of [`/vms/${CLONE_ID}`, path])
      await mustSucceed(machines.appliance, await rest('POST', `${where}/stop`, { graceSeconds: 0 }));
    await deleteForGood(machines.appliance, CLONE_ID);
    await mustSucceed(machines.appliance, await rest('POST', `${path}/start`));
    await mustSucceed(machines.appliance, await rest('POST', `${path}/stop`, { graceSeconds: 0 }));
  });

  it('is refused a clone by name, and nothing is made', async () => {
    expect(await codeOf(clone({ name: 'web' }))).toBe('vm_name_taken');
    expect(await codeOf(clone({ name: 'my_web' }))).toBe('vm_name_underscore');
    expect(await codeOf(clone({ poolGuid: CLONE_ID }))).toBe('pool_not_found');
    expect(await codeOf(rest('POST', `/vms/${CLONE_ID}/clone`, { name: 'web-2' }))).toBe('vm_not_found');
    const { libvirt } = machines;
    const spec = `vda,file=${join(source, 'outside.qcow2')}`;
    libvirt.virsh('snapshot-create-as', 'web', 'outside', '--disk-only', '--diskspec', spec);
    // What it writes by now is in another file than the one that would be copied.
    expect(await codeOf(clone())).toBe('not_supported');
    expect(readdirSync(join(source, '..'))).toEqual(['web']);
  });
});
