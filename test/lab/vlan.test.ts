/** A bridge over a VLAN of a card, with a kernel that has VLANs, Debian's ifupdown, and tagged frames that really pass. */
import { expect, it } from 'vitest';
import type { HostLink } from '../../src/lib/shared/wire/networks.ts';
import type { Operation } from '../../src/lib/shared/wire/operations.ts';
import type { Cairn } from './cairn.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true });
const BRIDGES = '/api/v1/networks/bridges';
/** Long enough for a look at the network while the change is tried. */
const CHECK_IN_SECONDS = 15;

/** A cable from the card lan0 to a switch that knows VLAN 42 and 43, and something without a tag. */
const CABLE = `
set -e
cat >>/etc/network/interfaces <<'END'

auto lan0
iface lan0 inet static
    address 192.168.77.5/24
END
ip netns add switch
ip link add lan0 type veth peer name port netns switch
ip netns exec switch bash -ec '
  ip link add link port name port.42 type vlan id 42
  ip link add link port name port.43 type vlan id 43
  ip address add 10.42.0.2/24 dev port.42
  ip address add 10.43.0.2/24 dev port.43
  ip address add 10.44.0.2/24 dev port
  for link in lo port port.42 port.43; do ip link set $link up; done'
ip netns add machine
ip link add vnet0 type veth peer name card netns machine
ip link set vnet0 up
ip netns exec machine bash -ec '
  for net in 42 43 44; do ip address add 10.$net.0.1/24 dev card; done
  ip link set card up'
ifup lan0
cat /etc/network/interfaces`;
/** As libvirt does with the card of a machine; then what the machine reaches. */
const plugIn = 'ip link set vnet0 master br42';
const reaches = (net: number): string =>
  `(ip netns exec machine ping -c 1 -W 1 10.${net}.0.2 >/dev/null && echo ${net}) &`;

const links = async (cairn: Cairn): Promise<HostLink[]> =>
  (await cairn.api.get<{ links: HostLink[] }>('/api/v1/networks')).body.links;
const link = async (cairn: Cairn, id: string): Promise<HostLink | undefined> =>
  (await links(cairn)).find((one) => one.id === id);

/** Of 42, 43 and none, the nets whose frames come through: the first one is waited for, since a bridge needs a moment. */
async function onlyItsTagPasses({ machine }: Cairn): Promise<void> {
  await machine.until('ip netns exec machine ping -c 1 -W 1 10.42.0.2 >/dev/null');
  expect(await machine.check([42, 43, 44].map(reaches).join('\n') + '\nwait')).toBe('42');
}

it('carries the frames of its tag and no others, comes up by itself, and goes without a trace', async () => {
  const cairn = await lab.cairn();
  const { machine } = cairn;
  const configuration = await machine.check(CABLE);
  const make = (name: string, vlan: number | null, more: object = {}) =>
    cairn.api.post<{ operationId: string; error: { code: string } }>(BRIDGES, {
      ...{ name, port: 'lan0', vlan, ...more },
    });

  // The kernel's module is loaded by asking for it.
  await cairn.success((await make('br42', 42)).body.operationId);
  const [tagged] = JSON.parse(await machine.check('ip -d -json link show dev lan0.42')) as [object];
  expect(tagged).toMatchObject({
    ...{ link: 'lan0', master: 'br42' },
    linkinfo: { info_kind: 'vlan', info_data: { protocol: '802.1Q', id: 42 }, info_slave_kind: 'bridge' },
  });
  expect(await link(cairn, 'lan0.42')).toMatchObject({ isUp: true, vlan: { tag: 42, on: 'lan0' } });
  expect(await link(cairn, 'lan0')).toMatchObject({ bridge: null, addresses: ['192.168.77.5/24'] });
  expect(await machine.check('ip -6 -oneline address show dev br42'), 'the host is not in it').toBe('');
  await machine.check(plugIn);
  await onlyItsTagPasses(cairn);
  expect((await make('br43', 42)).body.error.code).toBe('link_name_taken');

  // What a start of the host does.
  await machine.check(`systemctl restart networking; ${plugIn}`);
  await onlyItsTagPasses(cairn);
  const withBridge = await machine.check('cat /etc/network/interfaces');

  // Another change, of the same card, that nobody keeps.
  const { operationId } = (await make('br0', null, { checkInSeconds: CHECK_IN_SECONDS })).body;
  await cairn.until(
    () => cairn.api.get<Operation>(`/api/v1/operations/${operationId}`),
    ({ body }) => body.progress?.text.startsWith('Keep it within') ?? false,
  );
  expect(await link(cairn, 'lan0')).toMatchObject({ bridge: 'br0', addresses: [] });
  await onlyItsTagPasses(cairn);
  expect(await cairn.waitForOperation(operationId)).toMatchObject({ state: 'failed', verdict: null });
  expect(await link(cairn, 'br0')).toBeUndefined();
  expect(await link(cairn, 'lan0')).toMatchObject({ bridge: null, addresses: ['192.168.77.5/24'] });
  expect(await machine.check('cat /etc/network/interfaces')).toBe(withBridge);
  await onlyItsTagPasses(cairn);

  const removed = await cairn.api.delete<{ operationId: string }>(`${BRIDGES}/br42`);
  await cairn.success(removed.body.operationId);
  const ids = (await links(cairn)).map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['lan0', 'vnet0']));
  expect(ids.filter((id) => id === 'br42' || id.includes('.'))).toEqual([]);
  expect(
    await machine.check('cat /etc/network/interfaces; ls /var/lib/cairn/network-* 2>/dev/null || true'),
  ).toBe(configuration);
});
