import { Option } from 'commander';
import type { HostLink } from '$lib/shared/wire/networks';
import { change } from '../run-operation';
import { inNaturalOrder, table } from '../table';
import type { Noun } from '../verb';

export const networks: Noun = {
  name: 'networks',
  summary: 'Network links and bridges of this host',
  verbs: [
    {
      usage: 'list',
      summary: 'All links',
      isDefault: true,
      async run({ api, show, width }) {
        const { links } = await api.get<{ links: HostLink[] }>('/networks');
        show({ links }, () =>
          table<HostLink>(
            [
              { title: 'NAME', of: (link) => link.id },
              { title: 'KIND', of: (link) => link.kind },
              {
                title: 'STATE',
                of: (link) => (link.isUp ? (link.hasCarrier ? 'up' : 'no carrier') : 'down'),
              },
              { title: 'BRIDGE', of: (link) => link.bridge },
              { title: 'VLAN', of: (link) => (link.vlan ? `${link.vlan.tag} on ${link.vlan.on}` : null) },
              { title: 'ADDRESSES', of: (link) => link.addresses.join(', '), shrinks: true },
            ],
            inNaturalOrder(links, ({ id }) => id),
            width,
          ),
        );
      },
    },
    {
      usage: 'make <name>',
      summary: 'Make a bridge; one that takes the addresses of the host over is taken back unless it is kept',
      arguments: { name: 'Of the bridge, such as br0' },
      options: [
        new Option('--port <link>', 'the card that it goes over'),
        new Option('--vlan <tag>', 'the VLAN on that card'),
      ],
      async run(context, [name], { port, vlan }) {
        const body = { name, port: port ?? null, vlan: vlan === undefined ? null : Number(vlan) };
        return change(context, { path: '/networks/bridges', body });
      },
    },
    {
      usage: 'remove <name>',
      summary: 'Remove a bridge; asks first',
      arguments: { name: 'Of the bridge' },
      async run(context, [name = '']) {
        return change(context, {
          ...{ method: 'DELETE', path: `/networks/bridges/${encodeURIComponent(name)}` },
          question: `Remove the bridge ${name}?`,
        });
      },
    },
    {
      usage: 'keep',
      summary: 'Say that the host is still reached: the change that is being tried is kept',
      async run({ api, show }) {
        const answer = await api.send<object>('POST', '/networks/keep');
        show(answer, () => 'Kept.');
      },
    },
  ],
};
