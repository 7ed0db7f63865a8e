/** Templates and their linked clones on a real libvirtd with real QEMU: a clone starts, its template never does, and stays. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  deleteForGood,
  MIB,
  microRequest,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
let machines: Machines;
let path = '';
let disk = '';
let cloneId = '';

beforeAll(async () => {
  machines = await startMachines();
  const asked = await rest<{ vmId: string }>('POST', '/vms', microRequest(machines.imageId));
  await mustSucceed(machines.appliance, asked);
  path = `/vms/${asked.body.vmId}`;
  disk = join((await vmNamed(machines.appliance, 'web'))?.folder ?? '', 'disk.qcow2');
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const done = async (method: string, where: string, body?: unknown) =>
  mustSucceed(machines.appliance, await rest(method, where, body));
const codeOf = async (asked: ReturnType<typeof rest>): Promise<unknown> =>
  ((await asked).body as { error?: { code: string } }).error?.code;
const mode = (): number => statSync(disk).mode & 0o777;
const linked = (name: string) => rest<{ vmId: string }>('POST', `${path}/clone`, { name, disk: 'linked' });

describe('a template', () => {
  it('is made of a machine that is off, and nobody may write to its disk', async () => {
    expect(await codeOf(rest('PUT', `${path}/template`))).toBe('vm_wrong_state');
    await done('POST', `${path}/stop`, { graceSeconds: 0 });
    expect(await codeOf(linked('web-2'))).toBe('vm_not_template');
    await done('PUT', `${path}/template`);
    expect(mode()).toBe(0o444);
    expect(await vmNamed(machines.appliance, 'web')).toMatchObject({ isTemplate: true, linked: [] });
    expect(await codeOf(rest('PUT', `${path}/template`))).toBe('vm_wrong_state');
  });

  it('is never started, and its disk never changed, by name', async () => {
    expect(await codeOf(rest('POST', `${path}/start`))).toBe('vm_is_template');
    expect(await codeOf(rest('PUT', `${path}/disks/1/size`, { sizeBytes: 20 * MIB }))).toBe('vm_is_template');
    expect(await codeOf(rest('POST', `${path}/disks`, { sizeBytes: MIB }))).toBe('vm_is_template');
    expect(await codeOf(rest('POST', `${path}/snapshots`, { name: 'one' }))).toBe('vm_is_template');
  });

  it('has linked clones, which start from its disk and hold only what differs', async () => {
    const asked = await linked('web-2');
    await mustSucceed(machines.appliance, asked);
    cloneId = asked.body.vmId;
    const made = await vmNamed(machines.appliance, 'web-2');
    expect(made).toMatchObject({ disk: 'linked', basedOn: { name: 'web' }, isTemplate: false });
    const own = join(made?.folder ?? '', 'disk.qcow2');
    const argv = ['info', '--output=json', '-U', own];
    const info = JSON.parse(spawnSync('/usr/bin/qemu-img', argv, { encoding: 'utf8' }).stdout) as object;
    expect(info).toMatchObject({ 'backing-filename': disk, 'backing-filename-format': 'qcow2' });
    const bytes = statSync(disk).mtimeMs;
    await done('POST', `/vms/${cloneId}/start`);
    await machines.libvirt.guestListens('web-2');
    await done('POST', `/vms/${cloneId}/stop`, { graceSeconds: 0 });
    expect(statSync(disk).mtimeMs).toBe(bytes);
    expect(mode()).toBe(0o444);
  });

  it('stays as long as one of them needs it', async () => {
    expect(await vmNamed(machines.appliance, 'web')).toMatchObject({ linked: ['web-2'] });
    expect(await codeOf(rest('DELETE', path))).toBe('vm_has_linked');
    expect(await codeOf(rest('DELETE', `${path}/template`))).toBe('vm_has_linked');
    expect(await codeOf(rest('POST', `${path}/release`))).toBe('vm_has_linked');
    expect(await codeOf(rest('POST', `/vms/${cloneId}/release`))).toBe('vm_is_linked');
  });

  it('is a machine again when none does, and starts', async () => {
    await deleteForGood(machines.appliance, cloneId);
    await done('DELETE', `${path}/template`);
    expect(mode()).toBe(0o644);
    await done('POST', `${path}/start`);
    await machines.libvirt.guestListens('web');
  });
});
