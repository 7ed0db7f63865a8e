/** By which names and addresses this host is reached. */
import type { NetworkInterfaceInfo } from 'node:os';

const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
/** A certificate with a name for each address of a host full of bridges helps nobody. */
const MOST_ADDRESSES = 16;

type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>;

function addressesOf(interfaces: Interfaces, family: 'IPv4' | 'IPv6'): string[] {
  const all = Object.values(interfaces).flatMap((entries) => entries ?? []);
  return all
    .filter(
      (entry) => entry.family === family && !entry.internal && !/^(fe80:|169\.254\.)/i.test(entry.address),
    )
    .map(({ address }) => address);
}

/** The host's own name, and the one that multicast DNS gives it. */
export function namesOfHost(hostname: string): string[] {
  const name = hostname.toLowerCase();
  return [...new Set([name, `${name.split('.')[0]}.local`])].filter((one) => NAME.test(one));
}

/** What people type: names, and the addresses that do not change by themselves each day as those of IPv6 do. */
export const namesToReach = (hostname: string, interfaces: Interfaces): string[] =>
  [...namesOfHost(hostname), ...addressesOf(interfaces, 'IPv4')].slice(0, MOST_ADDRESSES);

/** What a certificate of our own is good for. */
export const namesToCertify = (hostname: string, interfaces: Interfaces): string[] => [
  ...new Set([
    ...[...namesOfHost(hostname), 'localhost', '127.0.0.1', '::1'],
    ...[...addressesOf(interfaces, 'IPv4'), ...addressesOf(interfaces, 'IPv6')].slice(0, MOST_ADDRESSES),
  ]),
];
