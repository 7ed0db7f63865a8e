/** The host goes down, as far as one machine can show it: what its systemd asks for, on a real libvirtd with real QEMU. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  addImage,
  microRequest,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';
import { deafGuest } from '../support/micro-guest';

const before = traces();
let machines: Machines;
const ids: Record<string, string> = {};

beforeAll(async () => {
  machines = await startMachines();
  const deaf = await addImage(machines, 'Deaf', deafGuest());
  for (const name of ['first', 'second', 'again', 'never']) {
    const imageId = name === 'second' ? deaf : machines.imageId;
    const asked = await rest<{ vmId: string }>('POST', '/vms', microRequest(imageId, { name }));
    await mustSucceed(machines.appliance, asked);
    ids[name] = asked.body.vmId;
  }
  await put('first', 'autostart', { on: true, order: 1 });
  await put('second', 'autostart', { on: true, order: 2 });
  await put('second', 'host-stop', { seconds: 2, otherwise: 'save' });
  await put('again', 'host-stop', { startsAgain: true });
  for (const name of ['first', 'again', 'never']) await machines.libvirt.guestListens(name);
}, 180_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
async function put(name: string, what: string, body: unknown): Promise<void> {
  expect((await rest('PUT', `/vms/${ids[name] ?? ''}/${what}`, body)).status).toBe(200);
}
const states = () =>
  Promise.all(Object.keys(ids).map(async (name) => (await vmNamed(machines.appliance, name))?.state));
async function until(wanted: string[]): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if ((await states()).join() === wanted.join()) return;
    await sleep(50);
  }
  expect(await states()).toEqual(wanted);
}
async function stopMachines(): Promise<{ code: number | null; said: string[] }> {
  const child = spawn(process.execPath, ['src/stop-machines.ts', machines.appliance.dataDir]);
  const [said, code] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { code, said: said.trim().split('\n') };
}
const stops = () =>
  machines.appliance.query<{ label: string; state: string; requested_by: string }>(
    "SELECT subject_label AS label, state, requested_by FROM operations WHERE kind = 'vm.stop-with-host' ORDER BY seq",
  );

it('leaves every machine alone when only Cairn is started again', async () => {
  await machines.appliance.kill('SIGTERM');
  await machines.appliance.start();
  await until(['running', 'running', 'running', 'running']);
  expect(stops()).toEqual([]);
});

it('stops the machines in the reverse of their order, and saves the one that does not hear', async () => {
  const { code, said } = await stopMachines();
  expect([code, said.at(-1)]).toEqual([0, 'done']);
  const at = (line: string): number => said.indexOf(line);
  // Those without a turn together, then the later turn, and the first one last.
  expect(Math.max(at('again is off'), at('never is off'))).toBeLessThan(at('Stopping second'));
  expect(at('second is saved')).toBeLessThan(at('Stopping first'));
  expect(at('first is off')).toBeGreaterThan(0);
  await until(['stopped', 'saved', 'stopped', 'stopped']);
  expect(
    stops()
      .map(({ label }) => label)
      .toSorted(),
  ).toEqual(['again', 'first', 'never', 'second']);
  expect(stops().every(({ state, requested_by: by }) => state === 'succeeded' && by === 'cairn')).toBe(true);
});

it('starts none of them again while the host has not been down', async () => {
  await machines.appliance.kill('SIGTERM');
  await machines.appliance.start();
  // What has its turn would have been begun before it answers.
  await until(['stopped', 'saved', 'stopped', 'stopped']);
  expect((await stopMachines()).said).toEqual(['Every machine is off.', 'done']);
});

it('starts those again that ran, where that was set, once the host is back', async () => {
  const { appliance } = machines;
  await appliance.kill('SIGTERM');
  const db = new Database(join(appliance.dataDir, 'cairn.db'));
  db.exec("UPDATE vm_settings SET turn_boot_id = 'an earlier one'");
  db.close();
  await appliance.start();
  await until(['running', 'running', 'running', 'stopped']);
  // Stopped by hand it stays off in the boot after that one.
  await mustSucceed(appliance, await rest('POST', `/vms/${ids['again'] ?? ''}/stop`, { graceSeconds: 0 }));
  await appliance.kill('SIGTERM');
  const again = new Database(join(appliance.dataDir, 'cairn.db'));
  again.exec("UPDATE vm_settings SET turn_boot_id = 'an earlier one'");
  again.close();
  await appliance.start();
  await until(['running', 'running', 'stopped', 'stopped']);
});

it('is told by what asks when Cairn does not answer', async () => {
  await machines.appliance.kill('SIGTERM');
  expect((await stopMachines()).code).toBe(2);
  await machines.appliance.start();
});
