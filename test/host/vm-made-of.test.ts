/** What a machine is made of, on a real libvirtd with real QEMU: how its CPUs are arranged, and what it looks for a system in. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '$lib/shared/wire/operations';
import type { Vm } from '$lib/shared/wire/vms';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  addImage,
  emptyCd,
  microRequest,
  MIB,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
let machines: Machines;
let path = '';
const four = { sockets: 2, cores: 2, threads: 1 };

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const codeOf = async (asked: ReturnType<typeof rest>): Promise<unknown> =>
  ((await asked).body as { error?: { code: string; issues?: { code: string }[] } }).error?.code;
const ask = async (method: string, where: string, body?: unknown): Promise<Operation> =>
  mustSucceed(machines.appliance, await rest(method, `${path}${where}`, body));
/** As somebody who has read what is lost. */
async function confirmed(method: string, where: string): Promise<Operation> {
  const { body } = await rest<{ error: { details: { confirmCode: string } } }>(method, `${path}${where}`);
  return ask(method, `${where}?confirmCode=${body.error.details.confirmCode}`);
}
const vm = async (): Promise<Vm | undefined> => vmNamed(machines.appliance, 'web');
const definition = (): string => machines.libvirt.virsh('dumpxml', '--inactive', 'web').stdout;

const put = (...order: string[]) => ask('PUT', '/boot-order', { order });

beforeAll(async () => {
  machines = await startMachines();
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

describe('CPUs of a machine', () => {
  it('are arranged when it is made, and refused when sockets, cores and threads are not as many', async () => {
    const request = (topology: unknown) => microRequest(machines.imageId, { cpus: 2, topology });
    expect(await codeOf(rest('POST', '/vms', request(four)))).toBe('topology_mismatch');
    expect(await vm()).toBeUndefined();
    const cpuModel = 'Nehalem';
    const two = request({ sockets: 1, cores: 2, threads: 1 });
    expect(await codeOf(rest('POST', '/vms', { ...two, cpuModel: 'Nehalem2' }))).toBe('cpu_model_unknown');
    const asked = await rest<{ vmId: string }>('POST', '/vms', { ...two, cpuModel });
    await mustSucceed(machines.appliance, asked);
    path = `/vms/${asked.body.vmId}`;
    expect(definition()).toMatch(/<topology sockets='1' dies='1' cores='2' threads='1'\/>/);
    expect(definition()).toMatch(/<model fallback='forbid'>Nehalem<\/model>/);
    expect(await vm()).toMatchObject({ cpuModel });
    expect(machines.libvirt.virsh('vcpucount', 'web', '--live', '--maximum').stdout.trim()).toBe('2');
    expect((await vm())?.topology).toEqual({ sockets: 1, cores: 2, threads: 1 });
    await ask('POST', '/stop', { graceSeconds: 0 });
  });

  it('are arranged anew while it is off, with all else that is in its definition kept', async () => {
    machines.libvirt.virsh(
      'metadata',
      'web',
      'urn:odd',
      '--config',
      '--key',
      'o',
      '--set',
      '<x y="1">&lt;</x>',
    );
    const had = definition();
    const size = { memoryBytes: 48 * MIB };
    const mismatch = await codeOf(rest('PUT', `${path}/size`, { cpus: 1, ...size }));
    expect(mismatch).toBe('topology_mismatch');
    expect(definition()).toBe(had);
    await ask('PUT', '/size', { cpus: 2, ...size, topology: { sockets: 2, cores: 1, threads: 1 } });
    expect(definition()).toBe(
      had
        .replace("sockets='1' dies='1' cores='2'", "sockets='2' dies='1' cores='1'")
        .replaceAll('32768', '49152'),
    );
    expect(await vm()).toMatchObject({ cpus: 2, topology: { sockets: 2, cores: 1, threads: 1 } });
    await ask('PUT', '/size', { cpus: 1, ...size, topology: null });
    expect(definition()).not.toContain('<topology');
    expect(await vm()).toMatchObject({ cpus: 1, topology: null });
    await ask('POST', '/start');
    await ask('POST', '/stop', { graceSeconds: 0 });
  });

  it('stay as they are while its definition holds a password', async () => {
    const had = machines.libvirt.virsh('dumpxml', '--inactive', '--security-info', 'web').stdout;
    const define = (xml: string) => expect(machines.libvirt.define(xml)).toBe(0);
    define(had.replace("<graphics type='vnc'", "<graphics type='vnc' passwd='geheim'"));
    const shape = { cpus: 2, memoryBytes: 48 * MIB, topology: { sockets: 2, cores: 1, threads: 1 } };
    expect(await codeOf(rest('PUT', `${path}/size`, shape))).toBe('not_supported');
    await ask('PUT', '/size', { cpus: 2, memoryBytes: 48 * MIB });
    expect(machines.libvirt.virsh('dumpxml', '--inactive', '--security-info', 'web').stdout).toContain(
      'geheim',
    );
    define(had);
  });
});

describe('what a machine looks for a system in', () => {
  /** Devices with a number, in their order. */
  const numbered = (): string[] => {
    const devices = definition().match(/<(disk|interface)[^]*?<\/\1>/g) ?? [];
    return devices
      .flatMap((device) => {
        const order = /<boot order='(\d+)'/.exec(device)?.[1];
        const name = /<target dev='(vd.|sd.)'/.exec(device)?.[1] ?? /address='(52[^']*)'/.exec(device)?.[1];
        return order === undefined ? [] : [{ order: Number(order), name: name ?? '' }];
      })
      .toSorted((a, b) => a.order - b.order)
      .map(({ name }) => name);
  };

  it('is its disk, then the CD, until somebody changes it; what virsh has put there stays', async () => {
    expect(numbered()).toEqual(['vda', 'sda']);
    expect((await vm())?.bootOrder).toEqual(['disk-1', 'cd']);
    const had = definition();
    const mac = (await vm())?.cards[0]?.mac;
    const { steps } = await put('card-1', 'cd', 'disk-1');
    expect(steps.map(({ name }) => name)).toEqual(['set-boot-order']);
    expect(numbered()).toEqual([mac, 'sda', 'vda']);
    expect((await vm())?.bootOrder).toEqual(['card-1', 'cd', 'disk-1']);
    const bare = (xml: string) => xml.replaceAll(/\s*<boot order='\d'\/>/g, '');
    expect(bare(definition())).toBe(bare(had));
    expect(had).toContain('urn:odd');
  });
  it('is refused by name, all that is wrong at once, and when it is so already', async () => {
    const refused = async (...order: string[]) =>
      (await rest<{ error: { code: string; details: unknown } }>('PUT', `${path}/boot-order`, { order })).body
        .error;
    expect((await refused()).code).toBe('boot_order_empty');
    expect(JSON.stringify(await refused('disk-9', 'cd', 'cd'))).toMatch(
      /boot_device_unknown.*boot_device_twice/,
    );
    expect((await refused('card-1', 'cd', 'disk-1')).code).toBe('vm_wrong_state');
  });
  it('is what it is started with, and kept when it is made known again', async () => {
    await ask('POST', '/start');
    const running = machines.libvirt.virsh('dumpxml', 'web').stdout;
    expect(running.indexOf("<boot order='1'/>")).toBeGreaterThan(running.indexOf('<interface'));
    await put('cd', 'disk-1');
    expect(numbered()).toEqual(['sda', 'vda']);
    await ask('POST', '/stop', { graceSeconds: 0 });
    expect(machines.libvirt.virsh('undefine', 'web').status).toBe(0);
    await ask('POST', '/start');
    await ask('POST', '/stop', { graceSeconds: 0 });
    expect(numbered()).toEqual(['sda', 'vda']);
  });
  it('goes with a disk that is removed, and is not given to the next one in its place', async () => {
    await ask('POST', '/disks', { sizeBytes: MIB });
    await put('disk-2', 'disk-1');
    await confirmed('DELETE', '/disks/2');
    expect(numbered()).toEqual(['vda']);
    await ask('POST', '/disks', { sizeBytes: MIB });
    expect(numbered()).toEqual(['vda']);
    expect((await vm())?.bootOrder).toEqual(['disk-1']);
  });
});

describe('a machine that is restored', () => {
  const restore = (name: string) => confirmed('POST', `/snapshots/${name}/restore`);
  it('has in its record what its definition has again: the CD, which then is needed, cards, order and CPUs', async () => {
    const iso = await addImage(machines, 'Disc', emptyCd(), 'iso');
    await ask('PUT', '/cd', { imageId: iso });
    await put('cd', 'disk-1');
    await ask('POST', '/snapshots', { name: 'with-cd' });
    await ask('DELETE', '/cd');
    await ask('POST', '/network-cards');
    await put('disk-1');
    const shape = { memoryBytes: 48 * MIB, cpus: 2, topology: { sockets: 1, cores: 2, threads: 1 } };
    await ask('PUT', '/size', shape);
    await restore('with-cd');
    expect(definition()).toContain('disc.iso');
    expect(await vm()).toMatchObject({
      ...{ cd: { imageId: iso, name: 'Disc' }, bootOrder: ['cd', 'disk-1'], topology: null },
    });
    expect((await vm())?.cards).toHaveLength(1);
    expect(await codeOf(rest('DELETE', `/images/${iso}`))).toBe('image_in_use');
    await ask('PUT', '/size', shape);
    await ask('POST', '/network-cards');
    await ask('POST', '/snapshots', { name: 'arranged' });
    await restore('with-cd');
    await restore('arranged');
    expect((await vm())?.topology).toEqual(shape.topology);
    expect((await vm())?.cards.map(({ slot }) => slot)).toEqual([1, 2]);
    for (const name of ['arranged', 'with-cd']) {
      const { body } = await rest<{ error: { details: { confirmCode: string } } }>(
        'DELETE',
        `${path}/snapshots/${name}`,
      );
      await ask('DELETE', `/snapshots/${name}?confirmCode=${body.error.details.confirmCode}`);
    }
  });
});
