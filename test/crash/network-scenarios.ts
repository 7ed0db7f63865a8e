/** Changes of the host's network as scenarios of the crash matrix, in the network of a libvirtd of the test's own. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Appliance } from '../support/appliance';
import { mustSucceed } from '../support/machines';
import type { PrivateLibvirt } from '../support/private-libvirt';
import type { Scenario } from './cases';

const CONFIGURATION = `auto lo
iface lo inet loopback

auto lan0
iface lan0 inet static
    address 192.168.77.5/24
    gateway 192.168.77.1
`;
const BRIDGES = '/networks/bridges';

export function networkScenarios(libvirt: () => PrivateLibvirt): Scenario[] {
  const text = (): string => readFileSync(libvirt().interfaces, 'utf8');
  const links = (): { ifname: string; master?: string; addr_info: { local: string; scope: string }[] }[] =>
    JSON.parse(libvirt().ip('-json', 'address', 'show')) as ReturnType<typeof links>;
  const observe = () => ({
    configuration: text(),
    links: links()
      .map(({ ifname, master, addr_info }) => ({
        ...{ ifname, master: master ?? null },
        addresses: addr_info.filter(({ scope }) => scope === 'global').map(({ local }) => local),
      }))
      .filter(({ ifname }) => !ifname.startsWith('lan0-'))
      .toSorted((a, b) => a.ifname.localeCompare(b.ifname)),
    route: libvirt().ip('route', 'show', 'default'),
  });
  /** Somebody looks at the page and keeps what is tried, as soon as it is, unless the server dies first. */
  function keepSoon(appliance: Appliance): void {
    const keep = async (): Promise<void> => {
      for (let tries = 0; tries < 200 && appliance.running; tries += 1) {
        const { status } = await appliance.rest('POST', '/networks/keep');
        if (status === 200) return;
        await sleep(50);
      }
    };
    // The server may die at any moment of this, which fetch calls a TypeError. Anything else is none of that.
    keep().catch((error: unknown) => {
      if (!(error instanceof TypeError)) throw error;
    });
  }
  async function without(appliance: Appliance): Promise<void> {
    if (!links().some(({ ifname }) => ifname === 'lan0')) {
      libvirt().ip('link', 'add', 'name', 'lan0', 'type', 'veth', 'peer', 'name', 'lan0-far');
      libvirt().ip('link', 'set', 'dev', 'lan0-far', 'up');
      writeFileSync(libvirt().interfaces, CONFIGURATION);
      libvirt().ifup('lan0');
    }
    if (!text().includes('iface br0')) return;
    const asked = await appliance.rest('DELETE', `${BRIDGES}/br0`);
    keepSoon(appliance);
    await mustSucceed(appliance, asked);
  }
  const make = async (appliance: Appliance) => {
    const asked = await appliance.rest('POST', BRIDGES, { name: 'br0', port: 'lan0', vlan: null });
    keepSoon(appliance);
    return asked;
  };
  return [
    {
      title: 'network.make-bridge, which takes over the addresses of the host',
      kind: 'network.make-bridge',
      setUp: without,
      begin: make,
      backward: true,
      observe,
    },
    {
      title: 'network.remove-bridge, which gives them back',
      kind: 'network.remove-bridge',
      async setUp(appliance) {
        await without(appliance);
        await mustSucceed(appliance, (await make(appliance)) as { status: number; body: unknown });
      },
      async begin(appliance) {
        const asked = await appliance.rest('DELETE', `${BRIDGES}/br0`);
        keepSoon(appliance);
        return asked;
      },
      backward: true,
      observe,
    },
  ];
}
