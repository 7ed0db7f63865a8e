/** What a machine is made of, on a real libvirtd with real QEMU: how its CPUs are arranged, and what it looks for a system in. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '$lib/shared/wire/operations';
import type { Vm } from '$lib/shared/wire/vms';
import { expectNoLeaks, traces } from '../support/leaks';
import { microRequest, MIB, mustSucceed, startMachines, vmNamed, type Machines } from '../support/machines';

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
const vm = async (): Promise<Vm | undefined> => vmNamed(machines.appliance, 'web');
const definition = (): string => machines.libvirt.virsh('dumpxml', '--inactive', 'web').stdout;

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
    const asked = await rest<{ vmId: string }>('POST', '/vms', request({ sockets: 1, cores: 2, threads: 1 }));
    await mustSucceed(machines.appliance, asked);
    path = `/vms/${asked.body.vmId}`;
    expect(definition()).toMatch(/<topology sockets='1' dies='1' cores='2' threads='1'\/>/);
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
