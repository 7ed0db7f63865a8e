import { describe, expect, it } from 'vitest';
import { ipIssues, ipKey, parseIp, type IpWish } from '$lib/shared/ip-rules';

const wish = (change: Partial<IpWish>): IpWish => ({
  ...{ addresses: ['192.168.7.10/24'], gateways: [], dns: [], search: [] },
  ...change,
});
const said = (change: Partial<IpWish>): string[] =>
  ipIssues(wish(change), 'n.').map(({ field, message }) => `${field ?? ''}: ${message}`);

describe('the network inside a machine', () => {
  it('takes what is right', () => {
    for (const change of [
      { gateways: ['192.168.7.1'], dns: ['1.1.1.1', '2606:4700::1111'], search: ['home.arpa', 'lan'] },
      { addresses: [], dns: ['9.9.9.9'] },
      { addresses: ['10.0.0.0/31', 'fd00:7::a/64'], gateways: ['10.0.0.1', 'fe80::1'] },
      { addresses: ['10.0.0.7/32'] },
    ])
      expect(said(change), JSON.stringify(change)).toEqual([]);
  });
  it.each<[Partial<IpWish>, string]>([
    [{ addresses: ['192.168.7.10'] }, 'n.addresses.0: 192.168.7.10 lacks the length of its network'],
    [{ addresses: ['192.168.7.256/24'] }, 'n.addresses.0: "192.168.7.256/24" is no address'],
    [{ addresses: ['192.168.07.1/24'] }, 'is no address'],
    [{ addresses: ['192.168.7.1/33'] }, 'is no address'],
    [{ addresses: ['192.168.7.1/0'] }, 'is no address'],
    [{ addresses: ['192.168.7.0/24'] }, 'is the network itself'],
    [{ addresses: ['192.168.7.255/24'] }, 'broadcast'],
    [{ addresses: ['127.0.0.1/8'] }, 'no address that a machine can have'],
    [{ addresses: ['224.0.0.5/24'] }, 'no address that a machine can have'],
    [{ addresses: ['::1/128'] }, 'no address that a machine can have'],
    [{ addresses: ['fd00:7::a/64', 'fd00:7:0:0::A/64'] }, 'n.addresses.1: fd00:7:0:0::A/64 is there twice'],
    [{ addresses: ['fd00:::a/64'] }, 'is no address'],
    [{ gateways: ['192.168.8.1'] }, 'n.gateways.0: The gateway 192.168.8.1 is in none of the networks'],
    [{ gateways: ['192.168.7.10'] }, "is the machine's own address"],
    [{ gateways: ['192.168.7.1', '192.168.7.2'] }, 'n.gateways.1: A card has one gateway of a kind'],
    [{ gateways: ['router'] }, 'no address of a gateway'],
    [{ addresses: [], gateways: ['192.168.7.1'] }, 'in none of the networks'],
    [{ dns: ['1.1.1'] }, 'n.dns.0: "1.1.1" is no address of a DNS server'],
    [{ dns: ['1.1.1.1', '1.1.1.1'] }, 'n.dns.1: The DNS server 1.1.1.1 is there twice'],
    [{ search: ['a b'] }, 'n.search.0: "a b" is no name of a domain'],
    [{ search: ['-a.lan'] }, 'is no name of a domain'],
    [{ search: ['lan', 'lan'] }, 'is there twice'],
  ])('refuses %j by name', (change, message) => {
    const all = said(change);
    expect(all).toHaveLength(1);
    expect(all[0]).toContain(message);
  });
  it('says all that is wrong at once', () => {
    expect(said({ addresses: ['x'], gateways: ['y'], dns: ['z'], search: ['?'] })).toHaveLength(4);
  });
  it('tells the same address in every way to write it', () => {
    expect(ipKey('fd00::1/64')).toBe(ipKey('FD00:0:0::0001'));
    expect(parseIp('::ffff')).toEqual({ value: 65_535n, bits: 128 });
    for (const text of ['', '1.2.3', '1.2.3.4.5', ':', '1::2::3', '12345::', '::1%eth0'])
      expect(parseIp(text), text).toBeNull();
  });
});
