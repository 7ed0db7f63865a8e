/** Bridges of a host with its own network namespace and its own ifupdown configuration: real links, real ifup, a real machine. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { HostLink } from '$lib/shared/wire/networks';
import type { Operation } from '$lib/shared/wire/operations';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  deleteForGood,
  ended,
  microRequest,
  mustSucceed,
  startMachines,
  type Machines,
} from '../support/machines';

const before = traces();
let machines: Machines;
const CONFIGURATION = `auto lo
iface lo inet loopback

allow-hotplug lan0
iface lan0 inet static
    address 192.168.77.5/24
    gateway 192.168.77.1
iface lan0 inet6 static
    address fd00:77::5/64
`;

beforeAll(async () => {
  machines = await startMachines();
  const { libvirt } = machines;
  for (const card of ['lan0', 'lan1']) {
    libvirt.ip('link', 'add', 'name', card, 'type', 'veth', 'peer', 'name', `${card}-far`);
    libvirt.ip('link', 'set', 'dev', `${card}-far`, 'up');
  }
  libvirt.ip('link', 'set', 'dev', 'lan1', 'up');
  writeFileSync(libvirt.interfaces, CONFIGURATION);
  libvirt.ifup('lan0');
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});
beforeEach(() => expect(interfaces()).toBe(CONFIGURATION));

const rest = <T = { operationId: string }>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const interfaces = (): string => readFileSync(machines.libvirt.interfaces, 'utf8');
async function link(id: string): Promise<HostLink | undefined> {
  const { body } = await rest<{ links: HostLink[] }>('GET', '/networks');
  return body.links.find((one) => one.id === id);
}
const make = (name: string, port: string | null, vlan: number | null = null, more: object = {}) =>
  rest('POST', '/networks/bridges', { name, port, vlan, ...more });
const remove = (name: string) => rest('DELETE', `/networks/bridges/${name}`);
const done = async (asked: Awaited<ReturnType<typeof make>>): Promise<Operation> =>
  mustSucceed(machines.appliance, asked);
/** Resolves when it waits for somebody to say that the host can be reached. */
async function isTried(asked: Awaited<ReturnType<typeof make>>): Promise<string> {
  const { operationId } = asked.body;
  for (let tries = 0; tries < 400; tries += 1) {
    const { body } = await rest<Operation>('GET', `/operations/${operationId}`);
    if (body.progress?.text.startsWith('Keep it within')) return operationId;
    if (body.state !== 'running') throw new Error(`it is ${body.state}: ${body.error?.message ?? ''}`);
    await sleep(25);
  }
  throw new Error('it does not wait for anybody');
}
const hostIsAsBefore = async (): Promise<void> => {
  expect((await link('lan0'))?.addresses.toSorted()).toEqual(['192.168.77.5/24', 'fd00:77::5/64']);
  expect(await link('br0')).toBeUndefined();
  expect(machines.libvirt.ip('route', 'show', 'default')).toContain('via 192.168.77.1 dev lan0');
};

it('a bridge without a port joins machines, and goes without a trace', async () => {
  chmodSync(machines.libvirt.interfaces, 0o640);
  await done(await make('br5', null));
  expect(await link('br5')).toMatchObject({ kind: 'bridge', isUp: true, addresses: [] });
  expect(interfaces()).toContain('iface br5 inet manual');
  expect(statSync(machines.libvirt.interfaces).mode & 0o777, 'who may read it').toBe(0o640);
  await done(await remove('br5'));
  expect(await link('br5')).toBeUndefined();
});

it('a VLAN of a card is bridged where the kernel has VLANs, and else refused by name', async () => {
  const asked = await make('br20', 'lan0', 20);
  await hostIsAsBefore();
  if (asked.status !== 202) {
    expect(asked.body).toMatchObject({ error: { code: 'vlan_unsupported' } });
    return;
  }
  await done(asked);
  expect(await link('lan0.20')).toMatchObject({ bridge: 'br20', isUp: true, vlan: { tag: 20, on: 'lan0' } });
  expect((await make('br21', 'lan0', 20)).status).toBe(400);
  await done(await remove('br20'));
  expect(await link('lan0.20')).toBeUndefined();
});

it('a bridge takes over the addresses of the host, once somebody has said that it can be reached', async () => {
  const mac = (await link('lan0'))?.mac;
  const id = await isTried(await make('br0', 'lan0'));
  expect(await link('br0')).toMatchObject({ mac, isUp: true });
  expect((await link('br0'))?.addresses.toSorted()).toEqual(['192.168.77.5/24', 'fd00:77::5/64']);
  expect(await link('lan0')).toMatchObject({ bridge: 'br0', addresses: [] });
  expect(machines.libvirt.ip('route', 'show', 'default')).toContain('via 192.168.77.1 dev br0');
  expect(interfaces(), 'a power cut now takes it back').toBe(CONFIGURATION);
  expect((await make('br9', null)).body, 'one change at a time').toMatchObject({ error: { code: 'locked' } });

  const kept = await rest<{ operation: Operation }>('POST', '/networks/keep');
  expect(kept.body.operation).toMatchObject({ id, state: 'succeeded' });
  expect(interfaces()).toContain('iface br0 inet static\n    address 192.168.77.5/24');
  expect((await rest('POST', '/networks/keep')).body).toMatchObject({ error: { code: 'check_in_over' } });

  // The way back moves them again, and is tried in the same way.
  await isTried(await remove('br0'));
  await hostIsAsBefore();
  await rest('POST', '/networks/keep');
});

it('what nobody keeps is taken back by itself', async () => {
  const asked = await make('br0', 'lan0', null, { checkInSeconds: 5 });
  const id = await isTried(asked);
  const operation = await ended(machines.appliance, id);
  expect(operation).toMatchObject({ state: 'failed', verdict: null });
  expect(operation.steps.find(({ name }) => name === 'check-in')?.error).toContain(
    'Nobody has said that the host can still be reached.',
  );
  await hostIsAsBefore();
});

it('what is cancelled while it is tried is taken back', async () => {
  const id = await isTried(await make('br0', 'lan0'));
  await rest('POST', `/operations/${id}/cancel`);
  expect((await ended(machines.appliance, id)).state).toBe('cancelled');
  await hostIsAsBefore();
});

it('a configuration that does not come up is taken back at once', async () => {
  // No kernel takes IPv6 on so small a link.
  writeFileSync(machines.libvirt.interfaces, CONFIGURATION.replace('/24', '/24\n    mtu 20'));
  const id = (await make('br0', 'lan0')).body.operationId;
  expect((await ended(machines.appliance, id)).state).toBe('failed');
  expect(await link('br0')).toBeUndefined();
  writeFileSync(machines.libvirt.interfaces, CONFIGURATION);
  machines.libvirt.ip('link', 'set', 'dev', 'lan0', 'mtu', '1500');
});

it('a bridge that machines are plugged into stays', async () => {
  await done(await make('br5', null));
  const asked = await rest<{ vmId: string; operationId: string }>(
    'POST',
    '/vms',
    microRequest(machines.imageId, { name: 'plugged', cards: [{ bridge: 'br5' }] }),
  );
  await mustSucceed(machines.appliance, asked);
  expect((await remove('br5')).body).toMatchObject({
    error: { code: 'bridge_in_use', message: 'br5 is the network of plugged.' },
  });
  await mustSucceed(
    machines.appliance,
    await rest('POST', `/vms/${asked.body.vmId}/stop`, { graceSeconds: 0 }),
  );
  await deleteForGood(machines.appliance, asked.body.vmId);
  await done(await remove('br5'));
});

it.each([
  ['a name with capitals', 'BR0', null, null, 'bridge_name_invalid'],
  ['a name that ip would read as an option', '-br0', null, null, 'bridge_name_invalid'],
  ['a name that is too long', 'br0123456789abcde', null, null, 'bridge_name_invalid'],
  ['a name of libvirt', 'virbr7', null, null, 'bridge_name_invalid'],
  ['a name that is there', 'lan1', null, null, 'link_name_taken'],
  ['a card that is not there', 'br0', 'eth99', null, 'link_not_found'],
  ['what is no card', 'br0', 'lo', null, 'link_unusable'],
  ['VLAN 0', 'br0', 'lan0', 0, 'vlan_invalid'],
  ['VLAN 4095', 'br0', 'lan0', 4095, 'vlan_invalid'],
  ['half a VLAN', 'br0', 'lan0', 1.5, 'vlan_invalid'],
  ['a VLAN without a card', 'br0', null, 20, 'vlan_invalid'],
])('%s is refused by name', async (_title, name, port, vlan, code) => {
  const { body } = await rest<{ error: { code: string; remedy: string } }>('POST', '/networks/bridges', {
    ...{ name, port, vlan },
  });
  expect(body.error.code).toBe(code);
  expect(body.error.remedy).not.toBe('');
});

it('addresses that come from elsewhere stay where they are', async () => {
  machines.libvirt.ip('address', 'add', '192.168.78.5/24', 'dev', 'lan1');
  expect((await make('br0', 'lan1')).body).toMatchObject({
    error: { code: 'network_not_ours', message: expect.stringContaining('lan1 has its addresses') as string },
  });
  machines.libvirt.ip('address', 'flush', 'dev', 'lan1');
  // Without addresses nothing has to be carried over.
  await done(await make('br0', 'lan1'));
  expect(await link('lan1')).toMatchObject({ bridge: 'br0' });
  await done(await remove('br0'));
});

it('a bridge of somebody else is left alone', async () => {
  machines.libvirt.ip('link', 'add', 'name', 'br7', 'type', 'bridge');
  expect((await remove('br7')).body).toMatchObject({ error: { code: 'network_not_ours' } });
  expect((await remove('br8')).body).toMatchObject({ error: { code: 'link_not_found' } });
  machines.libvirt.ip('link', 'delete', 'dev', 'br7');
});
