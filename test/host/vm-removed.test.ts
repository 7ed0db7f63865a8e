/** Machines that are removed, on a real libvirtd with real QEMU: nothing of them is lost until their time is over. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '$lib/shared/wire/images';
import type { RemovedVms } from '$lib/shared/wire/removed-vms';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  deleteConfirmed,
  deleteForGood,
  microRequest,
  MIB,
  mustSucceed,
  POOL_GUID,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
let machines: Machines;
let id = '';
let folder = '';
let shelf = '';

beforeAll(async () => {
  machines = await startMachines();
  id = await make('web');
  folder = (await vmNamed(machines.appliance, 'web'))?.folder ?? '';
  shelf = join(dirname(folder), '.removed', id);
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

interface Refusal {
  code: string;
  message: string;
  details: Record<string, unknown>;
}
const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const ask = async (method: string, where: string, body?: unknown) =>
  mustSucceed(machines.appliance, await rest(method, where, body));
const refusal = async (asked: ReturnType<typeof rest>) => ((await asked).body as { error: Refusal }).error;
const kept = async () => (await rest<RemovedVms>('GET', '/removed-vms')).body.machines;
const promised = () => machines.appliance.query('SELECT sum(disk_bytes) AS bytes FROM vms');
const qemuIo = (file: string, command: string): string =>
  spawnSync('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', command, file], { encoding: 'utf8' }).stdout;

/** Off. */
async function make(name: string): Promise<string> {
  const asked = await rest<{ vmId: string }>('POST', '/vms', microRequest(machines.imageId, { name }));
  await mustSucceed(machines.appliance, asked);
  await ask('POST', `/vms/${asked.body.vmId}/stop`, { graceSeconds: 0 });
  return asked.body.vmId;
}

describe('a machine that is removed', () => {
  it('is kept with its disks, its definition and its snapshots, and still holds what it needs', async () => {
    const { libvirt } = machines;
    await ask('POST', `/vms/${id}/disks`, { sizeBytes: MIB });
    await ask('POST', `/vms/${id}/snapshots`, { name: 'one' });
    await ask('POST', `/vms/${id}/snapshots`, { name: 'two' });
    libvirt.virsh('desc', 'web', '--config', '--title', 'kept by hand');
    await rest('PUT', `/vms/${id}/labels`, { tags: ['media'], notes: 'films' });
    qemuIo(join(folder, 'disk.qcow2'), 'write -P 97 4M 64k');
    const [had] = promised() as { bytes: number }[];
    const definition = libvirt.virsh('dumpxml', '--inactive', 'web').stdout;
    const snapshots = libvirt.virsh('snapshot-list', 'web', '--tree').stdout;
    await ask('DELETE', `/vms/${id}`);
    expect(libvirt.domstate('web')).toBeNull();
    expect(await vmNamed(machines.appliance, 'web')).toBeUndefined();
    expect(existsSync(folder)).toBe(false);
    expect(readdirSync(shelf).sort()).toEqual(['disk-2.qcow2', 'disk.qcow2', 'machine.json']);
    expect(await kept()).toMatchObject([{ id, name: 'web', blocked: null, folder: shelf }]);
    expect((await kept())[0]?.takenBytes).toBeGreaterThan(64 * 1024);
    expect(promised()).toEqual([{ bytes: null }]);
    for (const [method, where, code] of [
      ['DELETE', `/images/${machines.imageId}`, 'image_in_use'],
      ['DELETE', `/pools/${POOL_GUID}`, 'pool_needed'],
    ] as const) {
      const refused = await refusal(rest(method, where));
      expect([refused.code, refused.message]).toEqual([code, expect.stringContaining('web (removed')]);
    }

    // Somebody else has its name for a while.
    const other = await make('web');
    const { details } = await refusal(rest('POST', `/removed-vms/${id}/restore`));
    expect(details['issues']).toMatchObject([{ code: 'vm_name_taken' }, { code: 'file_exists' }]);
    await deleteForGood(machines.appliance, other);
    expect(existsSync(folder)).toBe(false);

    await ask('POST', `/removed-vms/${id}/restore`);
    expect(libvirt.virsh('dumpxml', '--inactive', 'web').stdout).toBe(definition);
    expect(libvirt.virsh('snapshot-list', 'web', '--tree').stdout).toBe(snapshots);
    expect(libvirt.virsh('snapshot-current', 'web', '--name').stdout.trim()).toBe('two');
    expect(readdirSync(folder).sort()).toEqual(['disk-2.qcow2', 'disk.qcow2']);
    expect(existsSync(shelf)).toBe(false);
    expect(qemuIo(join(folder, 'disk.qcow2'), 'read -P 97 4M 64k')).not.toContain('failed');
    expect(await vmNamed(machines.appliance, 'web')).toMatchObject({
      ...{ state: 'stopped', tags: ['media'], notes: 'films' },
    });
    expect(promised()).toEqual([had]);
    expect(await kept()).toEqual([]);
    await ask('POST', `/vms/${id}/start`);
    await libvirt.guestListens('web');
    await ask('POST', `/vms/${id}/stop`, { graceSeconds: 0 });
  });

  it('loses what it had saved of its memory only when that was confirmed', async () => {
    await ask('POST', `/vms/${id}/start`);
    await ask('POST', `/vms/${id}/save`);
    const refused = await refusal(rest('DELETE', `/vms/${id}`));
    expect([refused.code, refused.details['loses']]).toEqual([
      'confirm_required',
      ['What "web" had in its memory when it was saved.'],
    ]);
    await mustSucceed(machines.appliance, await deleteConfirmed(machines.appliance, `/vms/${id}`));
    expect(await kept()).toHaveLength(1);
  });

  it('waits for its pool, and is not touched when libvirt knows it again', async () => {
    const { libvirt } = machines;
    await ask('POST', `/pools/${POOL_GUID}/unmount`);
    expect((await kept())[0]?.blocked).toMatch(/"tank" is not mounted/);
    expect((await refusal(rest('POST', `/removed-vms/${id}/restore`))).code).toBe('pool_wrong_state');
    expect((await refusal(rest('DELETE', `/removed-vms/${id}`))).code).toBe('pool_wrong_state');
    await ask('POST', `/pools/${POOL_GUID}/mount`);
    expect((await kept())[0]?.blocked).toBeNull();
    const [row] = machines.appliance.query<{ facts: string }>('SELECT facts FROM removed_vms');
    const { definition } = JSON.parse(row?.facts ?? '{}') as { definition: string };
    const file = join(machines.appliance.dataDir, 'again.xml');
    writeFileSync(file, definition);
    libvirt.virsh('define', file);
    for (const asked of [rest('POST', `/removed-vms/${id}/restore`), rest('DELETE', `/removed-vms/${id}`)])
      expect((await refusal(asked)).code).toBe('vm_wrong_state');
    libvirt.virsh('undefine', id);
  });

  it('goes for good only with the code, and takes nothing with it that is not its own', async () => {
    spawnSync('/usr/bin/touch', [join(shelf, 'notes.txt')]);
    const refused = await refusal(rest('DELETE', `/removed-vms/${id}`));
    expect(refused.code).toBe('confirm_required');
    expect(refused.details['loses']).toEqual([
      expect.stringMatching(/disk\.qcow2, a disk of 10 MiB/),
      expect.stringMatching(/disk-2\.qcow2, a disk of 1 MiB/),
    ]);
    await mustSucceed(machines.appliance, await deleteConfirmed(machines.appliance, `/removed-vms/${id}`));
    expect(readdirSync(shelf)).toEqual(['notes.txt']);
    expect(await kept()).toEqual([]);
    expect((await refusal(rest('DELETE', `/removed-vms/${id}`))).code).toBe('removed_vm_not_found');
    const image = (await rest<{ images: Image[] }>('GET', '/images')).body.images[0];
    expect([image?.id, image?.badge]).toEqual([machines.imageId, 'ready']);
  });
});
