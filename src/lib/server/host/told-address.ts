/**
 * Which addresses a message may be sent to. Services at home are normal here, so private networks are allowed; what is
 * not: link-local ones, where clouds keep the credentials of a machine (169.254.169.254), and those that are no single machine.
 */
import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { lookup as resolveNow } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { AppError } from '../errors';

const closed = new BlockList();
closed.addSubnet('0.0.0.0', 8, 'ipv4');
closed.addSubnet('169.254.0.0', 16, 'ipv4');
closed.addSubnet('224.0.0.0', 3, 'ipv4');
closed.addAddress('::', 'ipv6');
closed.addSubnet('fe80::', 10, 'ipv6');
closed.addSubnet('ff00::', 8, 'ipv6');
// The same service of a cloud by IPv6 (AWS), which is no link-local address.
closed.addAddress('fd00:ec2::254', 'ipv6');

/** @param address an IPv4 or IPv6 address without brackets; one that carries IPv4 inside is judged by that */
export function isToldAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !closed.check(address.split('%')[0] ?? '', family === 4 ? 'ipv4' : 'ipv6');
}

export const refuseAddress = (host: string, address: string): AppError =>
  new AppError(
    'address_refused',
    host === address
      ? `${host} is no address for messages.`
      : `${host} is ${address}, which is no address for messages.`,
  );

/** For `http.request`: resolves as always, and fails when any answer is one that is refused. */
export const toldLookup: LookupFunction = (host, options, done) => {
  resolveName(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return done(error, '');
    const refused = addresses.find(({ address }) => !isToldAddress(address));
    if (refused) return done(refuseAddress(host, refused.address), '');
    const [first] = addresses;
    if (options.all) done(null, addresses);
    else if (first) done(null, first.address, first.family);
    else done(new Error(`${host} has no address`), '');
  });
};

/** One address of a name, judged. @throws AppError address_refused; Error of the resolver */
export async function resolveTold(host: string): Promise<string> {
  if (isIP(host)) {
    if (!isToldAddress(host)) throw refuseAddress(host, host);
    return host;
  }
  const addresses = await resolveNow(host, { all: true });
  const refused = addresses.find(({ address }) => !isToldAddress(address));
  if (refused) throw refuseAddress(host, refused.address);
  const [first] = addresses;
  if (!first) throw new Error(`${host} has no address`);
  return first.address;
}

/** Authorities that Node brings and those of the host: who has a CA of one's own at home puts it there. */
export const hostAuthorities = (): string[] => [
  ...new Set([...getCACertificates('bundled'), ...getCACertificates('system')]),
];
