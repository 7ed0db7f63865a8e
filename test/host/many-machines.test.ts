/** A hundred defined machines: the list is whole, what virsh does is told at once, and the server stays small. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Vm } from '$lib/shared/wire/vms';
import { expectNoLeaks, traces } from '../support/leaks';
import { microRequest, mustSucceed, startMachines, vmNamed, type Machines } from '../support/machines';
import { fillWith } from '../support/many-machines';

const before = traces();
const COUNT = 100;
let machines: Machines;
/** Bytes of memory that the server itself holds: proc_pid_status(5). */
const memory = (): number =>
  Number(
    /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${machines.appliance.pid}/status`, 'utf8'))?.[1] ??
      Number.NaN,
  ) * 1024;

beforeAll(async () => {
  machines = await startMachines();
  const { appliance, imageId } = machines;
  await mustSucceed(appliance, await appliance.rest('POST', '/vms', microRequest(imageId)));
  await fillWith(machines, 1, COUNT);
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

it('all of them are listed, each with what libvirt says of it', async () => {
  const { body } = await machines.appliance.rest<{ vms: Vm[] }>('GET', '/vms');
  expect(body.vms).toHaveLength(COUNT);
  expect(body.vms.filter(({ state }) => state === 'stopped')).toHaveLength(COUNT - 1);
});

it('what virsh does with one of them is told at once', async () => {
  const { appliance, libvirt } = machines;
  for (const [verb, state] of [
    ['destroy', 'stopped'],
    ['start', 'running'],
    ['destroy', 'stopped'],
  ] as const) {
    expect(libvirt.virsh(verb, 'web').status).toBe(0);
    const began = performance.now();
    while ((await vmNamed(appliance, 'web'))?.state !== state) {
      expect(performance.now() - began).toBeLessThan(1_000);
      await sleep(10);
    }
  }
});

it('the server needs no more memory than a small host has to give', () => {
  expect(memory()).toBeLessThan(300 * 1024 ** 2);
});
