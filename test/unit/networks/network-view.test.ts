import { expect, it } from 'vitest';
import { freeLinks, networkViews, stateText } from '$lib/features/networks/network-view';
import type { HostLink } from '$lib/shared/wire/networks';
import type { Vm } from '$lib/shared/wire/vms';

const link = (id: string, kind: HostLink['kind'], bridge: string | null = null): HostLink => ({
  ...{ id, kind, bridge, mac: null, isUp: true, hasCarrier: true, addresses: [], vlan: null },
});
const vm = (name: string, ...bridges: (string | null)[]): Vm =>
  ({
    ...{ id: name, name },
    cards: bridges.map((bridge, index) => ({ slot: index + 1, mac: `${name}-${index + 1}`, bridge })),
  }) as Vm;
const LINKS = [
  ...[
    link('virbr0', 'bridge'),
    link('br10', 'bridge'),
    link('br2', 'bridge'),
    link('eno1', 'ethernet', 'br2'),
  ],
  ...[
    link('vnet3', 'machine', 'br2'),
    link('eno2', 'ethernet'),
    link('lo', 'loopback'),
    link('tun0', 'virtual'),
  ],
];

it('networks are bridges with their ports and machines, then NAT, then those that are missing', () => {
  const views = networkViews(LINKS, [vm('web', 'br2', null), vm('db', 'br9'), vm('app', null, 'br2')]);
  expect(
    views.map(({ id, kind, ports, machines }) => [
      ...[id, kind, ports.map((port) => port.id), machines.map(({ card }) => card.mac)],
    ]),
  ).toEqual([
    ['br2', 'bridge', ['eno1'], ['app-2', 'web-1']],
    ['br10', 'bridge', [], []],
    ['virbr0', 'nat', [], ['app-1', 'web-2']],
    ['br9', 'gone', [], ['db-1']],
  ]);
});
it('NAT is there also while it is not started', () => {
  expect(networkViews([], [vm('web', null)])).toMatchObject([{ kind: 'nat', link: null, machines: [{}] }]);
});
it('cards in no bridge are those that could be a port', () => {
  expect(freeLinks(LINKS).map(({ id }) => id)).toEqual(['eno2']);
});
it('a link says whether it is any use', () => {
  const text = (change: Partial<HostLink>) => stateText({ ...link('x', 'ethernet'), ...change });
  expect([text({}), text({ hasCarrier: false }), text({ isUp: false })]).toEqual([
    'up',
    'no cable',
    'switched off',
  ]);
});
