import { describe, expect, it } from 'vitest';
import {
  speaksOf,
  vlanName,
  withBridge,
  withoutBridge,
  type BridgePort,
} from '$lib/server/networks/interfaces-file';

const PORT: BridgePort = { id: 'eno1', mac: '52:54:00:aa:bb:cc', vlan: null };
const DEBIAN = `# This file describes the network interfaces available on your system

source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

# The primary network interface
allow-hotplug eno1
iface eno1 inet static
	address 192.168.1.5/24
	gateway 192.168.1.1
	# dns-* options are implemented by the resolvconf package
	dns-nameservers 192.168.1.1
# This is an autoconfigured IPv6 interface
iface eno1 inet6 auto
`;

describe('a bridge that takes over what the file says of its port', () => {
  const text = withBridge(DEBIAN, 'br0', PORT);

  it('has its addresses, its port and its own start, and the port has none any more', () => {
    expect(text).toContain(`auto br0
iface br0 inet static
	address 192.168.1.5/24
	gateway 192.168.1.1
	dns-nameservers 192.168.1.1
    pre-up ip link add name br0 address 52:54:00:aa:bb:cc type bridge
    pre-up ip link set dev eno1 master br0
    pre-up ip link set dev eno1 up
    up ip link set dev br0 up
    post-down ip link delete dev br0 type bridge
iface br0 inet6 auto
`);
    expect(speaksOf(text, 'eno1')).toBe(false);
    expect(speaksOf(text, 'br0')).toBe(true);
    expect(text).toContain('#| allow-hotplug eno1');
    expect(text).toContain('auto lo\niface lo inet loopback');
  });

  it('goes again without a trace but for comments that were in between', () => {
    const { text: back, port } = withoutBridge(text, 'br0');
    expect(port).toBe('eno1');
    expect(back.replace(/^#.*\n/gm, '')).toBe(DEBIAN.replace(/^#.*\n/gm, ''));
  });

  it('leaves others in a line that brings several links up', () => {
    const both = withBridge('auto lo eno1\niface lo inet loopback\niface eno1 inet dhcp\n', 'br0', PORT);
    expect(both).toContain('auto lo\n');
    expect(both).toContain('auto br0\niface br0 inet dhcp\n');
    expect(withoutBridge(both, 'br0').text).toContain('auto eno1\niface eno1 inet dhcp\n');
  });
});

it('a VLAN of a port leaves the port as it is, and goes without any trace', () => {
  const text = withBridge(DEBIAN, 'br20', { ...PORT, vlan: 20 });
  expect(text.startsWith(DEBIAN)).toBe(true);
  expect(text).toContain('pre-up ip link add link eno1 name eno1.20 type vlan id 20');
  expect(text).toContain('pre-up ip link set dev eno1.20 master br20');
  expect(withoutBridge(text, 'br20').text).toBe(DEBIAN);
});

it('the host gives itself no address on a bridge that is not its own way out', () => {
  const stays = (bridge: string) => `echo 1 >/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`;
  expect(withBridge(DEBIAN, 'br20', { ...PORT, vlan: 20 })).toContain(stays('br20'));
  expect(withBridge(DEBIAN, 'br1', null)).toContain(stays('br1'));
  expect(withBridge(DEBIAN, 'br0', PORT)).not.toContain(stays('br0'));
});

it('a bridge without a port goes without any trace, also beside another one', () => {
  const one = withBridge(DEBIAN, 'br1', null);
  const two = withBridge(one, 'br2', null);
  expect(withoutBridge(two, 'br2')).toEqual({ text: one, port: null });
  expect(withoutBridge(withoutBridge(two, 'br1').text, 'br2').text).toBe(DEBIAN);
});

it('a name that the kernel would not take gives way to a shorter one', () => {
  expect(vlanName({ id: 'eno1', mac: null, vlan: 20 })).toBe('eno1.20');
  expect(vlanName({ id: 'enx001122334455', mac: null, vlan: 20 })).toBe('vlan20');
  expect(vlanName(PORT)).toBeNull();
});

describe('what Cairn does not carry over it refuses by name', () => {
  const of = (options: string): string => `iface eno1 inet static\n  address 10.0.0.2/24\n${options}`;
  it.each([
    ['own commands', of('  post-up /root/rules.sh\n'), 'post-up'],
    ['a wireless key', of('  wpa-ssid home\n'), 'wpa-ssid'],
    ['a bond', of('  bond-slaves eno2\n'), 'bond-slaves'],
    ['a mapping', 'mapping eno1\n  script /x\niface eno1 inet dhcp\n', 'mapping'],
    ['a line that goes on', 'auto eno1 \\\n  eno2\niface eno1 inet dhcp\n', 'goes on'],
    ['options of nobody', '  address 10.0.0.2/24\n', 'belongs to nothing'],
    ['a start without a way', 'auto eno1\n', 'does not say how'],
    ['a bridge that is there', 'iface br0 inet manual\niface eno1 inet dhcp\n', 'br0 already'],
  ])('%s', (_title, text, said) => {
    expect(() => withBridge(text, 'br0', PORT)).toThrow(said);
  });

  it.each([['wpa-psk'], ['wpa-passphrase'], ['wireless-key1'], ['pppoe-password']])(
    'a file with a secret, of whatever link: %s',
    (option) => {
      const text = `${DEBIAN}iface wlan0 inet dhcp\n    ${option} hunter2\n`;
      const said = `It holds a secret (${option}), which a plan would show.`;
      expect(() => withBridge(text, 'br1', null)).toThrow(said);
      expect(() => withoutBridge(text, 'br1')).toThrow(said);
      expect(said).not.toContain('hunter2');
    },
  );

  it('a bridge of somebody else', () => {
    expect(() => withoutBridge('auto br7\niface br7 inet manual\n', 'br7')).toThrow(
      'Cairn has not made the bridge br7.',
    );
  });
});
