/** What may be asked of the network inside a machine, as far as the text alone tells; the form and the server ask the same functions. */
import type { ErrorCode, Issue } from './error-codes';
import { issueOf } from './issue';

/** An address as a number, and how many bits it has. */
interface Ip {
  value: bigint;
  bits: 32 | 128;
}

function parseV4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255))
    return null;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}
function parseV6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const groups = (half = ''): string[] => (half === '' ? [] : half.split(':'));
  const [before, after] = [groups(halves[0]), groups(halves[1])];
  const missing = 8 - before.length - after.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const all = [...before, ...Array<string>(missing).fill('0'), ...after];
  if (all.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return null;
  return all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}
/** null: it is no address (RFC 4291 without an embedded IPv4 one, and no zone). */
export function parseIp(text: string): Ip | null {
  const v4 = parseV4(text);
  if (v4 !== null) return { value: v4, bits: 32 };
  const v6 = text.includes(':') ? parseV6(text) : null;
  return v6 === null ? null : { value: v6, bits: 128 };
}

interface Cidr extends Ip {
  prefix: number;
}
function parseCidr(text: string): Cidr | null {
  const [address = '', length, ...more] = text.split('/');
  const ip = parseIp(address);
  if (!ip || length === undefined || more.length > 0 || !/^\d{1,3}$/.test(length)) return null;
  const prefix = Number(length);
  return prefix >= 1 && prefix <= ip.bits ? { ...ip, prefix } : null;
}
const networkOf = ({ value, bits, prefix }: Cidr): bigint => value >> BigInt(bits - prefix);
const isIn = (ip: Ip, cidr: Cidr): boolean =>
  ip.bits === cidr.bits && networkOf({ ...ip, prefix: cidr.prefix }) === networkOf(cidr);

/** The same for every way to write an address; null: it is none. */
export const ipKey = (text: string): string | null => {
  const ip = parseIp(text.split('/')[0] ?? '');
  return ip && `${ip.bits}-${ip.value}`;
};

function hostIssue(text: string, cidr: Cidr): string | null {
  const { value, bits, prefix } = cidr;
  const first = value >> (BigInt(bits) - 8n);
  if (value === 0n || (bits === 32 && (first === 127n || first >= 224n)) || (bits === 128 && first === 255n))
    return `${text} is no address that a machine can have.`;
  if (bits === 128 ? value === 1n : false) return `${text} is no address that a machine can have.`;
  if (bits === 128 || prefix > 30) return null;
  const host = value & ((1n << BigInt(bits - prefix)) - 1n);
  if (host === 0n) return `${text} is the network itself, not an address in it.`;
  return host === (1n << BigInt(bits - prefix)) - 1n
    ? `${text} is the address of all machines in the network (broadcast).`
    : null;
}

export interface IpWish {
  addresses: string[];
  gateways: string[];
  dns: string[];
  search: string[];
}

function addressIssues(addresses: string[], field: string): Issue[] {
  const seen = new Set<string>();
  return addresses.flatMap((text, index) => {
    const at = `${field}addresses.${index}`;
    const cidr = parseCidr(text);
    if (!cidr)
      return [
        issueOf(
          'ip_address_invalid',
          parseIp(text)
            ? `${text} lacks the length of its network, such as ${text}/24.`
            : `"${text}" is no address with the length of its network.`,
          at,
        ),
      ];
    const wrong = hostIssue(text, cidr);
    if (wrong !== null) return [issueOf('ip_address_invalid', wrong, at)];
    const key = ipKey(text) ?? '';
    if (seen.has(key)) return [issueOf('ip_address_invalid', `${text} is there twice.`, at)];
    seen.add(key);
    return [];
  });
}

function gatewayIssues({ addresses, gateways }: IpWish, field: string): Issue[] {
  const cidrs = addresses.map(parseCidr).filter((cidr) => cidr !== null);
  const own = new Set(addresses.map(ipKey));
  const seen = new Set<number>();
  return gateways.flatMap((text, index) => {
    const refuse = (message: string): Issue[] => [
      issueOf('ip_gateway_invalid', message, `${field}gateways.${index}`),
    ];
    const ip = parseIp(text);
    if (!ip) return refuse(`"${text}" is no address of a gateway.`);
    if (seen.has(ip.bits)) return refuse(`A card has one gateway of a kind; ${text} is another one.`);
    seen.add(ip.bits);
    if (own.has(ipKey(text))) return refuse(`The gateway ${text} is the machine's own address.`);
    // A gateway of IPv6 is mostly known by its address on the link.
    const isLinkLocal = ip.bits === 128 && ip.value >> 118n === 0x3fan;
    return isLinkLocal || cidrs.some((cidr) => isIn(ip, cidr))
      ? []
      : refuse(`The gateway ${text} is in none of the networks of the machine's addresses.`);
  });
}

/** A name of a domain (RFC 1123), with or without a dot at its end. */
const DOMAIN =
  /^(?=.{1,253}\.?$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i;

const eachIssue = (
  texts: string[],
  code: ErrorCode,
  field: string,
  problem: (text: string, before: string[]) => string | null,
): Issue[] =>
  texts.flatMap((text, index) => {
    const message = problem(text, texts.slice(0, index));
    return message === null ? [] : [issueOf(code, message, `${field}.${index}`)];
  });

/** All that is wrong with what a card is to have. @param field in front of its fields, with a dot */
export const ipIssues = (wish: IpWish, field: string): Issue[] => [
  ...addressIssues(wish.addresses, field),
  ...gatewayIssues(wish, field),
  ...eachIssue(wish.dns, 'ip_dns_invalid', `${field}dns`, (text, before) => {
    if (!parseIp(text)) return `"${text}" is no address of a DNS server.`;
    return before.some((one) => ipKey(one) === ipKey(text)) ? `The DNS server ${text} is there twice.` : null;
  }),
  ...eachIssue(wish.search, 'ip_search_invalid', `${field}search`, (text, before) => {
    if (!DOMAIN.test(text)) return `"${text}" is no name of a domain.`;
    return before.includes(text) ? `The domain ${text} is there twice.` : null;
  }),
];
