import { describe, expect, it } from 'vitest';
import { guestHeard, parseGuestAddresses } from '$plugins/libvirt/guest-addresses';

const OWN = ['52:54:00:0b:6c:2c'];
/** As tools/virsh-domain-monitor.c prints it, with `-q` and `--full`. */
const said = ` lo         00:00:00:00:00:00    ipv4         127.0.0.1/8
 lo         00:00:00:00:00:00    ipv6         ::1/128
 eth0       52:54:00:0B:6C:2C    ipv4         192.168.1.20/24
 eth0       52:54:00:0B:6C:2C    ipv6         fd00:7::20/64
 eth0       52:54:00:0B:6C:2C    ipv6         fe80::5054:ff:fe0b:6c2c/64
 docker0    02:42:5d:11:22:33    ipv4         172.17.0.1/16
 eth1       52:54:00:00:00:02    N/A          N/A

`;

describe('what a guest tells of its addresses', () => {
  it('is those of its own cards that others can reach', () => {
    expect(parseGuestAddresses(said, OWN)).toEqual(['192.168.1.20', 'fd00:7::20']);
    const short = said.replace(/ eth0 {7}52:54:00:0B:6C:2C( +ipv6)/g, ' -          -                $1');
    expect(parseGuestAddresses(short, OWN)).toEqual(['192.168.1.20', 'fd00:7::20']);
  });
  it('is nothing when there is nothing', () => {
    for (const text of ['', '\n\n', ' eth1       52:54:00:00:00:02    N/A          N/A\n'])
      expect(parseGuestAddresses(text, OWN)).toEqual([]);
  });
  it('is an error when it is something else', () => {
    for (const wrong of [
      'error: no',
      said.replace('192.168.1.20', '192.168.1.256'),
      said.replace('ipv4', 'ipx'),
    ])
      expect(() => parseGuestAddresses(wrong, OWN)).toThrow();
  });
  it('is no flood, whatever the guest says', () => {
    const many = Array.from(
      { length: 500 },
      (_, at) => ` eth0  ${OWN[0]}  ipv4  10.0.${at >> 8}.${at & 255}/8`,
    );
    expect(parseGuestAddresses(many.join('\n'), OWN)).toHaveLength(16);
  });
  it('can be asked for when libvirt says that its agent has come up', () => {
    const line = (state: string) =>
      `event 'agent-lifecycle' for domain 'web': state: '${state}' reason: 'channel event'`;
    expect(guestHeard(line('connected'))).toBe('web');
    expect(guestHeard(line('disconnected'))).toBeNull();
    expect(guestHeard("event 'lifecycle' for domain 'web': Started Booted")).toBeNull();
  });
});
