/**
 * Whether a request can come from a page of ours. Two attacks from a browser inside the home network are stopped here,
 * for HTTP and for the upgrade to a socket alike: a foreign name that resolves to this machine (DNS rebinding: Host is
 * not one of our names), and a foreign page that makes the browser send our cookie (Origin is not our address).
 */
import { networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import type { Config } from '../config';
import { AppError } from '../errors';

/** The header fields that matter, lower-case names; null when absent. */
export type HeaderOf = (name: string) => string | null;

/** Addresses come and go with cables and VPNs: read again after this long. */
const INTERFACES_MS = 5_000;

/** `nas:8420` → `nas`, `[::1]:8420` → `::1`, lower case; null when it is no host. */
export function hostnameOf(host: string): string | null {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '') ?? null;
}

function sameHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  // Behind a proxy that ends TLS the scheme is https outside and http here: the port and the name decide.
  const own = `${url.protocol}//${host}`;
  return /^https?:$/.test(url.protocol) && URL.canParse(own) && url.host === new URL(own).host;
}

/** RFC 6125, 6.4.3: a wildcard stands for one label. */
const isCovered = (name: string, pattern: string): boolean =>
  pattern.startsWith('*.') ? name.slice(name.indexOf('.')) === pattern.slice(1) : name === pattern;

/** @param certified names of the certificate in use: who has one for a name has shown that the name is theirs */
export function createRequestGuard(
  config: Pick<Config, 'hostname' | 'allowedHosts' | 'host' | 'tls'>,
  certified: () => string[] = () => [],
) {
  const host = config.hostname.toLowerCase();
  const names = new Set([
    'localhost',
    host,
    `${host.split('.')[0]}.local`,
    ...config.allowedHosts.map((name) => name.toLowerCase()),
  ]);
  let own = new Set<string>();
  let readAt = -Infinity;
  function isOwnAddress(address: string): boolean {
    if (performance.now() - readAt > INTERFACES_MS) {
      own = new Set(
        Object.values(networkInterfaces()).flatMap((entries) =>
          (entries ?? []).map((entry) => entry.address),
        ),
      );
      readAt = performance.now();
    }
    return own.has(address) || address === '127.0.0.1' || address === '::1';
  }

  const guard = {
    hostAllowed(header: string | null): boolean {
      const name = header === null ? null : hostnameOf(header);
      if (name === null) return false;
      if (isIP(name) !== 0) return isOwnAddress(name);
      return names.has(name) || certified().some((pattern) => isCovered(name, pattern));
    },
    /**
     * True for what a page of ours sends, and for programs: those have no cookie that a foreign page could make use of,
     * or bring a key that no page knows.
     */
    originAllowed(header: HeaderOf): boolean {
      if (header('x-api-key') !== null && header('cookie') === null) return true;
      const origin = header('origin');
      if (origin !== null)
        return sameHost(origin, header('host') ?? '') && (!config.tls || origin.startsWith('https:'));
      const site = header('sec-fetch-site');
      if (site !== null) return site === 'same-origin' || site === 'none';
      return header('cookie') === null;
    },
    /** @throws AppError bad_host */
    requireHost(header: HeaderOf): void {
      if (!guard.hostAllowed(header('host')))
        throw new AppError(
          'bad_host',
          `This server does not answer to the host name ${header('host') ?? '(none)'}.`,
        );
    },
    /** @throws AppError bad_origin */
    requireOrigin(header: HeaderOf): void {
      if (!guard.originAllowed(header)) throw new AppError('bad_origin');
    },
  };
  return guard;
}
export type RequestGuard = ReturnType<typeof createRequestGuard>;
