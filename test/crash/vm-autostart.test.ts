/**
 * The start of the host with machines that start with it, as far as one machine can show it: Cairn is killed, and its records say
 * that their turn came in another boot.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountsBelow } from '../../src/cli/leftovers';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  microRequest,
  mustSucceed,
  POOL_GUID,
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

const post = async (path: string, body?: unknown) =>
  mustSucceed(machines.appliance, await machines.appliance.rest('POST', path, body));
const idOf = async (): Promise<string> => (await vmNamed(machines.appliance, 'web'))?.id ?? '';
const starts = (): number =>
  machines.appliance.query("SELECT 1 FROM operations WHERE kind = 'vm.start'").length;
async function untilOn(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const vm = await vmNamed(machines.appliance, 'web');
    if (vm?.state === 'running' && vm.operationId === null) return;
    await sleep(50);
  }
  throw new Error('the machine did not start');
}
/** As after a power cut. */
async function anotherBoot(more = ''): Promise<void> {
  const { appliance, libvirt } = machines;
  await appliance.kill();
  if (libvirt.domstate('web') === 'running') libvirt.virsh('destroy', 'web');
  const db = new Database(join(appliance.dataDir, 'cairn.db'));
  db.exec(`UPDATE vm_settings SET turn_boot_id = 'an earlier one'; ${more}`);
  db.close();
}

describe('a machine that starts with the host', () => {
  it('starts once, also when Cairn is killed as soon as it has begun to', async () => {
    const { appliance, libvirt } = machines;
    await post('/vms', microRequest(machines.imageId));
    const path = `/vms/${await idOf()}`;
    const { status } = await appliance.rest('PUT', `${path}/autostart`, { on: true });
    expect(status).toBe(200);
    await anotherBoot();
    appliance.crashAt('recorded@vm.start/*:alone');
    // It answers before it is killed, or not: both are right.
    await Promise.allSettled([appliance.start()]);
    expect(await appliance.ended(10_000)).toBe(true);
    appliance.crashAt('');
    await appliance.start();
    await untilOn();
    expect(libvirt.domstate('web')).toBe('running');
    expect(starts()).toBe(1);
  });

  it('stays off when it was stopped by hand and Cairn is started again', async () => {
    const { appliance } = machines;
    await post(`/vms/${await idOf()}/stop`, { graceSeconds: 0 });
    await appliance.kill();
    await appliance.start();
    // What has its turn after it would have been started by now.
    expect((await vmNamed(appliance, 'web'))?.stateText).toBeNull();
    expect((await vmNamed(appliance, 'web'))?.state).toBe('stopped');
    expect(starts()).toBe(1);
    await anotherBoot();
    await appliance.start();
    await untilOn();
    expect(starts()).toBe(2);
  });

  it('waits for its pool, and starts when that is mounted', async () => {
    const { appliance } = machines;
    await anotherBoot('UPDATE pools SET want_mounted = 0');
    for (const path of mountsBelow(appliance.dataDir).filter((one) => one.endsWith('/tank')))
      expect(spawnSync('/usr/bin/umount', ['--', path]).status).toBe(0);
    await appliance.start();
    expect(await vmNamed(appliance, 'web')).toMatchObject({
      ...{ state: 'stopped', stateText: 'It starts by itself as soon as its pool "tank" is mounted.' },
    });
    expect(starts()).toBe(2);
    await post(`/pools/${POOL_GUID}/mount`);
    await untilOn();
    expect(starts()).toBe(3);
  });
});
