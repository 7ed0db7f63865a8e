/** Addresses of machines: a guest that asks for one from its network card's own program (iPXE), before any system. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { VmWaitLine } from '$lib/shared/wire/vms';
import { expectNoLeaks, traces } from '../support/leaks';
import { microRequest, mustSucceed, MIB, startMachines, vmNamed, type Machines } from '../support/machines';

const before = traces();
let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

/** A line for each thing that happened, as scripts get them. */
async function waitFor(id: string, query: string): Promise<VmWaitLine[]> {
  const { appliance } = machines;
  const answer = await fetch(`${appliance.url}/api/v1/vms/${id}/wait?${query}`, {
    headers: { 'x-api-key': appliance.apiKey },
  });
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
  const text = await answer.text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as VmWaitLine);
}

it('a machine has the address that it was given, and none when it is off', async () => {
  const { appliance, libvirt } = machines;
  const rest = (method: string, path: string, body?: unknown) => appliance.rest(method, path, body);
  const request = microRequest(machines.imageId, { memoryBytes: 96 * MIB });
  await mustSucceed(appliance, await rest('POST', '/vms', request));
  const id = (await vmNamed(appliance, 'web'))?.id ?? '';
  await mustSucceed(appliance, await rest('POST', `/vms/${id}/stop`, { graceSeconds: 0 }));
  expect((await waitFor(id, 'goal=address')).at(-1)).toMatchObject({ end: 'missed' });

  const definition = libvirt.virsh('dumpxml', '--inactive', id).stdout;
  const first = "<boot order='1'/>";
  const fromNetwork = definition
    .replace(first, '')
    .replace(/(<interface[^]*?)(<\/interface>)/, `$1${first}$2`);
  const file = join(appliance.dataDir, 'from-network.xml');
  writeFileSync(file, fromNetwork);
  expect(libvirt.virsh('define', file).status).toBe(0);
  await mustSucceed(appliance, await rest('POST', `/vms/${id}/start`));

  const lines = await waitFor(id, 'goal=address&seconds=45');
  const vm = await vmNamed(appliance, 'web');
  expect(lines.at(-1), JSON.stringify(lines)).toEqual({
    text: `"web" has the address ${vm?.addresses[0]}.`,
    end: 'reached',
  });
  expect(vm?.addresses[0]).toMatch(/^192\.168\.122\.\d+$/);
  expect(libvirt.virsh('net-dhcp-leases', 'default').stdout).toContain(vm?.addresses[0]);

  await mustSucceed(appliance, await rest('POST', `/vms/${id}/stop`, { graceSeconds: 0 }));
  expect((await vmNamed(appliance, 'web'))?.addresses).toEqual([]);
});
