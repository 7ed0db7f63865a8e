import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ipCommand } from '$lib/server/host/links';
import { parseLinks } from '$lib/server/host/parse-links';

const recorded = readFileSync(new URL('../../fixtures/ip/6.1-bridges.json', import.meta.url), 'utf8');

describe('what ip says of the network links', () => {
  const links = parseLinks(recorded);
  const link = (id: string) => links.find((one) => one.id === id);

  it('is bridges with their ports and addresses', () => {
    expect(links.map(({ id, kind }) => [id, kind])).toEqual([
      ...[
        ['br0', 'bridge'],
        ['eno1', 'ethernet'],
        ['lan', 'ethernet'],
        ['lo', 'loopback'],
        ['virbr0', 'bridge'],
        ['vnet0', 'machine'],
        ['wg-like', 'virtual'],
      ],
    ]);
    expect(link('br0')).toMatchObject({
      ...{ isUp: true, hasCarrier: true, bridge: null, vlan: null },
      // Without fe80::, which is on every link.
      addresses: ['192.168.7.5/24', 'fd00:7::5/64'],
    });
    expect(links.filter(({ bridge }) => bridge === 'br0').map(({ id }) => id)).toEqual(['eno1', 'vnet0']);
    expect(link('vnet0')).toMatchObject({ isUp: false, hasCarrier: false });
    expect(link('wg-like')?.mac).toBeNull();
  });
  it('is the tag of a VLAN and what carries it', () => {
    const vlan = { ifname: 'eno1.20', link: 'eno1', link_type: 'ether', flags: [] };
    const text = JSON.stringify([
      { ...vlan, linkinfo: { info_kind: 'vlan', info_data: { protocol: '802.1Q', id: 20 } }, addr_info: [] },
      {},
    ]);
    expect(parseLinks(text)).toMatchObject([{ id: 'eno1.20', kind: 'vlan', vlan: { tag: 20, on: 'eno1' } }]);
  });
  it('is refused when it is something else', () => {
    for (const text of ['', '{}', '[{"name":"eth0"}]']) expect(() => parseLinks(text), text).toThrow();
  });
  it('is asked for in the network that it is about', () => {
    expect(ipCommand(null, 'link')).toEqual({ program: '/usr/bin/ip', argv: ['link'] });
    expect(ipCommand('/proc/7/ns/net', 'link')).toEqual({
      ...{ program: '/usr/bin/nsenter', argv: ['--net=/proc/7/ns/net', '--', '/usr/bin/ip', 'link'] },
    });
  });
});
