/** Machines that virsh has made, on a real libvirtd with real QEMU: found, taken over as they are, and given up again. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FoundVm, FoundVms } from '$lib/shared/wire/vm-found';
import type { Vm } from '$lib/shared/wire/vms';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  microRequest,
  MIB,
  mustSucceed,
  deleteForGood,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';
import { microGuest } from '../support/micro-guest';

const before = traces();
const LEGACY = '7d0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2gqCq7rYHq0mF3Y1gqj4D8pK4oZ2e7nB6Uq3nJt5Xk ann@desk';
let machines: Machines;

beforeAll(async () => {
  machines = await startMachines();
  machines.libvirt.virsh('net-start', 'default');
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const found = async (name: string): Promise<FoundVm | undefined> =>
  (await rest<FoundVms>('GET', '/found-vms')).body.machines.find((one) => one.name === name);
const codeOf = async (asked: ReturnType<typeof rest>): Promise<unknown> =>
  ((await asked).body as { error?: { code: string } }).error?.code;
const adopt = (id: string) => rest<{ vmId: string; operationId: string }>('POST', `/found-vms/${id}/adopt`);
const definition = (name: string): string => machines.libvirt.virsh('dumpxml', '--inactive', name).stdout;
const withoutNote = (xml: string): string =>
  xml.replaceAll(/\s*<cairn-keeper:machine [^>]*>/g, '').replaceAll(/\s*<\/?metadata>/g, '');

/** As virt-manager might have left it: with what Cairn knows nothing of. */
function legacyXml({ name, id, disk }: { name: string; id: string; disk: string }): string {
  return `<domain type="qemu">
  <name>${name}</name><uuid>${id}</uuid><title>The old one</title>
  <metadata><inv:shelf xmlns:inv="urn:inventory" number="7"/></metadata>
  <memory unit="MiB">32</memory><vcpu>2</vcpu>
  <os><type arch="x86_64" machine="q35">hvm</type></os>
  <features><acpi/><apic/><vmport state="off"/></features>
  <seclabel type="static" model="dac" relabel="no"><label>+0:+0</label></seclabel>
  <devices>
    <disk type="file" device="disk"><driver name="qemu" type="raw" cache="none"/>
      <source file="${disk}"/><target dev="sda" bus="sata"/></disk>
    <interface type="network"><mac address="52:54:00:aa:bb:01"/><source network="default"/><model type="e1000"/></interface>
    <serial type="pty"/>
    <watchdog model="i6300esb" action="reset"/>
  </devices>
</domain>`;
}
function defined(verb: 'define' | 'create', xml: string): void {
  const file = join(machines.appliance.dataDir, 'given.xml');
  writeFileSync(file, xml);
  const { status, stderr } = machines.libvirt.virsh(verb, file);
  rmSync(file);
  if (status !== 0) throw new Error(stderr);
}
function diskAt(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'old.img');
  const guest = microGuest();
  writeFileSync(path, Buffer.concat([guest, Buffer.alloc(2 * MIB - guest.length)]));
  return path;
}

describe('a machine that virsh has made', () => {
  let disk = '';
  it('is found with what it is, and nothing of it changes', async () => {
    disk = diskAt(join(machines.appliance.dataDir, 'mnt/tank/elsewhere'));
    defined('define', legacyXml({ name: 'legacy', id: LEGACY, disk }));
    const xml = definition('legacy');
    expect(await found('legacy')).toEqual({
      ...{ id: LEGACY, name: 'legacy', plugin: 'libvirt', state: 'stopped', cpus: 2, memoryBytes: 32 * MIB },
      disks: [{ target: 'sda', source: disk, sizeBytes: 2 * MIB, pool: 'tank' }],
      ...{ media: [], cards: [{ mac: '52:54:00:aa:bb:01', network: 'network default' }] },
      ...{ byCairn: false, issues: [] },
    });
    expect(definition('legacy')).toBe(xml);
    expect(await vmNamed(machines.appliance, 'legacy')).toBeUndefined();
  });

  it('is adopted while it runs, runs on, and keeps its definition but for the note', async () => {
    const { libvirt, appliance } = machines;
    const xml = definition('legacy');
    libvirt.virsh('start', 'legacy');
    await libvirt.guestListens('legacy');
    const pid = libvirt.pidOf('legacy');
    const asked = await adopt(LEGACY);
    const operation = await mustSucceed(appliance, asked);
    expect(operation.title).toBe('Adopt legacy');
    expect(await vmNamed(appliance, 'legacy')).toMatchObject({
      ...{ id: LEGACY, state: 'running', cpus: 2, memoryBytes: 32 * MIB, diskBytes: 2 * MIB, disks: [] },
      adopted: [{ target: 'sda', source: disk, sizeBytes: 2 * MIB }],
      cards: [{ slot: 1, mac: '52:54:00:aa:bb:01' }],
      pool: { label: 'tank' },
    } satisfies Partial<Record<keyof Vm, unknown>>);
    expect(libvirt.pidOf('legacy')).toBe(pid);
    expect(definition('legacy')).toContain('cairn-keeper:machine');
    expect(withoutNote(definition('legacy'))).toBe(withoutNote(xml));
    expect(definition('legacy')).toContain('number="7"');
    expect(await found('legacy')).toBeUndefined();
  });

  it('is stopped and started here, and its disks are left alone by name', async () => {
    const path = `/vms/${LEGACY}`;
    await mustSucceed(machines.appliance, await rest('POST', `${path}/stop`, { graceSeconds: 0 }));
    await mustSucceed(machines.appliance, await rest('POST', `${path}/start`));
    await machines.libvirt.guestListens('legacy');
    expect(await codeOf(rest('POST', `${path}/disks`, { sizeBytes: MIB }))).toBe('vm_adopted');
    await mustSucceed(machines.appliance, await rest('POST', `${path}/stop`, { graceSeconds: 0 }));
    expect(await codeOf(rest('POST', `${path}/clone`, { name: 'legacy-2' }))).toBe('not_supported');
  });

  it('is given up, as it was before, and found again', async () => {
    const xml = withoutNote(definition('legacy'));
    const content = readFileSync(disk);
    await mustSucceed(machines.appliance, await rest('POST', `/vms/${LEGACY}/release`));
    expect(await vmNamed(machines.appliance, 'legacy')).toBeUndefined();
    expect(definition('legacy')).not.toContain('cairn-keeper');
    expect(withoutNote(definition('legacy'))).toBe(xml);
    expect(readFileSync(disk).equals(content)).toBe(true);
    expect((await found('legacy'))?.issues).toEqual([]);
  });

  it('leaves its disk where it is when it is adopted and removed', async () => {
    await mustSucceed(machines.appliance, await adopt(LEGACY));
    await deleteForGood(machines.appliance, LEGACY);
    expect(machines.libvirt.domstate('legacy')).toBeNull();
    expect(existsSync(disk)).toBe(true);
  });

  it('is refused by name, with a remedy, when it cannot be kept', async () => {
    const id = '8d0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
    defined('define', legacyXml({ name: 'Old_Box', id, disk: join(disk, 'nowhere.img') }));
    expect((await found('Old_Box'))?.issues.map(({ code }) => code)).toEqual([
      'vm_name_underscore',
      'vm_disk_gone',
    ]);
    expect((await found('Old_Box'))?.issues[0]?.remedy).toMatch(/virsh domrename/);
    expect(await codeOf(adopt(id))).toBe('invalid_input');
    machines.libvirt.virsh('undefine', 'Old_Box');
    defined('create', legacyXml({ name: 'passing', id, disk }));
    expect((await found('passing'))?.issues.map(({ code }) => code)).toEqual(['vm_transient']);
    expect(await codeOf(adopt(id))).toBe('vm_transient');
    machines.libvirt.virsh('destroy', 'passing');
    expect(await codeOf(adopt(id))).toBe('vm_not_found');
  });
});

describe('a machine that Cairn has made', () => {
  it.each(['virtio', 'common'])(
    'comes back whole when its record was lost: with its folder, its disks (%s), its image and its login',
    async (devices) => {
      const { appliance, imageId } = machines;
      const asked = await rest<{ vmId: string }>('POST', '/vms', {
        ...microRequest(imageId),
        ...{ devices, disks: [{ sizeBytes: MIB }] },
        cloudInit: { user: 'ann', sshKeys: [KEY] },
      });
      await mustSucceed(appliance, asked);
      const path = `/vms/${asked.body.vmId}`;
      const specOf = () => appliance.query<{ spec: string }>('SELECT spec FROM vms')[0]?.spec ?? '{}';
      const spec = JSON.parse(specOf()) as Record<string, unknown>;
      await mustSucceed(appliance, await rest('POST', `${path}/release`));
      expect(machines.libvirt.domstate('web')).toBe('running');
      expect(await found('web')).toMatchObject({ byCairn: true, issues: [] });
      await mustSucceed(appliance, await adopt(asked.body.vmId));
      const { cards, ...rest2 } = JSON.parse(specOf()) as Record<string, unknown>;
      expect(rest2).toEqual(spec);
      expect(cards).toHaveLength(1);
      const made = await vmNamed(appliance, 'web');
      expect(made).toMatchObject({
        state: 'running',
        disk: 'overlay',
        image: { id: imageId, name: 'Micro' },
      });
      await mustSucceed(appliance, await rest('POST', `${path}/stop`, { graceSeconds: 0 }));
      await deleteForGood(appliance, asked.body.vmId);
      expect(existsSync(made?.folder ?? '')).toBe(false);
    },
  );
});
