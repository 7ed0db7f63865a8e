/** Secondary volumes that are made with a machine, on a real libvirtd with real QEMU and real mkfs. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { viewConsole } from '../support/console-viewer';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  deleteForGood,
  microRequest,
  MIB,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const create = (disks: object[], change: object = {}) =>
  rest<{ vmId: string; error?: { code: string; details: { issues: { code: string; field: string }[] } } }>(
    'POST',
    '/vms',
    microRequest(machines.imageId, { disks, ...change }),
  );
const run = (program: string, ...argv: string[]): string =>
  spawnSync(program, argv, { encoding: 'utf8' }).stdout;
const promised = (): number | undefined =>
  machines.appliance.query<{ bytes: number }>('SELECT sum(disk_bytes) AS bytes FROM vms')[0]?.bytes;

it('have their filesystem and their label, are seen as disks, and are promised', async () => {
  const asked = await create(
    [
      { sizeBytes: 16 * MIB, filesystem: 'ext4', mountPoint: '/srv/data' },
      { sizeBytes: 301 * MIB, filesystem: 'xfs', label: 'films' },
      { sizeBytes: 2 * MIB },
    ],
    { cloudInit: { user: 'ann', password: 'a guest password' } },
  );
  const lines = await fetch(`${machines.appliance.url}/api/v1/vms/${asked.body.vmId}/wait`, {
    headers: { 'x-api-key': machines.appliance.apiKey },
  });
  const said = await lines.text();
  for (const slot of [2, 3, 4]) expect(said).toContain(`Create secondary volume ${slot}`);
  await mustSucceed(machines.appliance, asked);
  const vm = await vmNamed(machines.appliance, 'web');
  expect(vm).toMatchObject({ state: 'running', diskBytes: 329 * MIB });
  expect(promised()).toBe(329 * MIB);
  const folder = vm?.folder ?? '';
  expect(readdirSync(folder).filter((name) => name.endsWith('.raw'))).toEqual([]);
  expect(readFileSync(join(folder, 'user-data'), 'utf8')).toContain('LABEL=data-2');
  const { appliance, libvirt } = machines;
  expect(libvirt.virsh('domblklist', 'web').stdout).toMatch(/vdb[\s\S]*vdc[\s\S]*vdd/);
  await mustSucceed(appliance, await rest('POST', `/vms/${asked.body.vmId}/stop`, { graceSeconds: 0 }));
  for (const [slot, type, label] of [
    [2, 'ext4', 'data-2'],
    [3, 'xfs', 'films'],
  ] as const) {
    const raw = join(appliance.dataDir, `${slot}.raw`);
    run('/usr/bin/qemu-img', 'convert', '-O', 'raw', join(folder, `disk-${slot}.qcow2`), raw);
    expect(run('/usr/sbin/blkid', '-p', raw)).toMatch(new RegExp(`LABEL="${label}".*TYPE="${type}"`));
  }
  const raw = join(appliance.dataDir, '2.raw');
  expect(spawnSync('/usr/sbin/e2fsck', ['-fn', raw]).status).toBe(0);
  await deleteForGood(appliance, asked.body.vmId);
  expect(existsSync(folder)).toBe(false);
  expect(promised()).toBeNull();
});

it('are SATA disks of a machine that is to have what every system knows, and it starts from them', async () => {
  const asked = await create([{ sizeBytes: 2 * MIB }], { devices: 'common' });
  await mustSucceed(machines.appliance, asked);
  const { vmId } = asked.body;
  const viewer = await viewConsole(machines.appliance, vmId, 'serial');
  try {
    for (let tries = 0; !viewer.text().includes('x'); tries += 1) {
      if (tries === 600) throw new Error(`it only said: ${viewer.text()}`);
      // It echoes what it is sent: its first disk was found and started.
      viewer.socket.send(Buffer.from('x'));
      await sleep(50);
    }
  } finally {
    viewer.socket.close();
  }
  const definition = machines.libvirt.virsh('dumpxml', 'web').stdout;
  expect(definition.match(/<target dev='vd[ab]' bus='sata'\/>/g)).toHaveLength(2);
  expect(definition).toContain("<model type='e1000e'/>");
  const more = await rest<{ error: { code: string } }>('POST', `/vms/${vmId}/disks`, { sizeBytes: MIB });
  expect(more.body.error.code).toBe('vm_wrong_state');
  await mustSucceed(machines.appliance, await rest('POST', `/vms/${vmId}/stop`, { graceSeconds: 0 }));
  await mustSucceed(machines.appliance, await rest('POST', `/vms/${vmId}/disks`, { sizeBytes: MIB }));
  await mustSucceed(machines.appliance, await rest('POST', `/vms/${vmId}/start`));
  expect(machines.libvirt.virsh('domblklist', 'web').stdout).toMatch(/vda[\s\S]*vdb[\s\S]*vdc/);
  await mustSucceed(machines.appliance, await rest('POST', `/vms/${vmId}/stop`, { graceSeconds: 0 }));
  await deleteForGood(machines.appliance, vmId);
});

it('are refused when they are empty, or too much for the pool all together', async () => {
  const codes = async (disks: object[]) => (await create(disks)).body.error?.code;
  expect(await codes([{ sizeBytes: 0 }])).toBe('disk_invalid');
  expect(await codes([{ sizeBytes: 200 * MIB }, { sizeBytes: 300 * MIB }])).toBe('pool_full');
  expect(await codes([{ sizeBytes: MIB, mountPoint: '/srv' }])).toBe('volume_mount_invalid');
  expect(machines.appliance.query('SELECT 1 FROM vms')).toEqual([]);
});
