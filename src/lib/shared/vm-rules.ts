/** What may be asked of a machine, as far as the text alone tells; the form and the server ask the same functions. */
import type { ErrorCode, Issue } from './error-codes';
import type { FirmwareKind } from './firmware-kinds';
import { issueOf } from './issue';

interface Topology {
  sockets: number;
  cores: number;
  threads: number;
}
const count = (value: number, one: string): string => `${value} ${one}${value === 1 ? '' : 's'}`;
/** `2 sockets × 2 cores × 1 thread` */
export const topologyText = ({ sockets, cores, threads }: Topology): string =>
  [count(sockets, 'socket'), count(cores, 'core'), count(threads, 'thread')].join(' × ');

/** @param devices that the machine has */
export function bootOrderIssues(order: string[], devices: string[], field = 'order'): Issue[] {
  if (order.length === 0)
    return [issueOf('boot_order_empty', 'The machine would not start from anything.', field)];
  return order.flatMap((device, index) => {
    const at = `${field}.${index}`;
    if (!devices.includes(device))
      return [issueOf('boot_device_unknown', `There is no "${device}"; it has ${devices.join(', ')}.`, at)];
    return order.indexOf(device) === index
      ? []
      : [issueOf('boot_device_twice', `"${device}" is named twice.`, at)];
  });
}

/** @returns at most one issue; null is no arrangement, and fits any number */
export function topologyIssues(cpus: number, topology: Topology | null, field = 'topology'): Issue[] {
  if (!topology) return [];
  const { sockets, cores, threads } = topology;
  for (const [name, value] of Object.entries({ sockets, cores, threads }))
    if (!Number.isSafeInteger(value) || value < 1)
      return [issueOf('topology_invalid', `A machine cannot have ${value} ${name}.`, `${field}.${name}`)];
  const product = sockets * cores * threads;
  return product === cpus
    ? []
    : [
        issueOf(
          'topology_mismatch',
          `${topologyText(topology)} are ${product}, and the machine has ${count(cpus, 'CPU')}.`,
          field,
        ),
      ];
}

const NAME_MIN_LENGTH = 3;
/** A label of a host name (RFC 1123). */
const NAME_MAX_LENGTH = 63;

/** @returns at most one issue: the first rule that the name breaks */
export function vmNameIssues(name: string, field = 'name'): Issue[] {
  const length = [...name].length;
  const broken: [is: boolean, code: ErrorCode, message: string][] = [
    [name === '', 'vm_name_empty', 'The name is empty.'],
    [length < NAME_MIN_LENGTH, 'vm_name_too_short', `The name has only ${length} characters.`],
    [length > NAME_MAX_LENGTH, 'vm_name_too_long', `The name has ${length} characters.`],
    [name.startsWith('-'), 'vm_name_leading_dash', 'The name starts with a dash.'],
    [name.endsWith('-'), 'vm_name_trailing_dash', 'The name ends with a dash.'],
    [/^\d/.test(name), 'vm_name_leading_digit', 'The name starts with a digit.'],
    [name.includes('_'), 'vm_name_underscore', 'The name has an underscore.'],
    [!/^[a-z][a-z0-9-]*$/.test(name), 'vm_name_invalid', 'The name has characters that are not allowed.'],
  ];
  const [first] = broken.filter(([is]) => is);
  return first ? [issueOf(first[1], first[2], field)] : [];
}

export const userNameIssues = (name: string, field = 'cloudInit.user'): Issue[] =>
  /^[a-z_][a-z0-9_-]{0,31}$/.test(name)
    ? []
    : [issueOf('user_name_invalid', `"${name}" cannot be the name of a user.`, field)];

export const guestPasswordIssues = (password: string, field = 'cloudInit.password'): Issue[] =>
  /^[^\p{Cc}]{8,200}$/u.test(password)
    ? []
    : [
        issueOf(
          'guest_password_invalid',
          'The password is too short, too long, or has control characters.',
          field,
        ),
      ];

/** As Debian (deb-control(5)) and RPM name them. */
export const packageIssues = (names: string[], field = 'cloudInit.packages'): Issue[] =>
  names
    .filter((name) => !/^[A-Za-z0-9][A-Za-z0-9.+_-]{0,99}$/.test(name))
    .map((name) => issueOf('package_name_invalid', `"${name}" cannot be the name of a package.`, field));

/** As it is kept: lower case, with colons. */
export const normalMac = (mac: string): string => mac.trim().toLowerCase().replaceAll('-', ':');

/** An address that a network card of a machine can have (IEEE 802; what begins with fe libvirt keeps for the host's end). */
export function macIssues(mac: string, field: string): Issue[] {
  const refuse = (message: string): Issue[] => [issueOf('mac_invalid', message, field)];
  const normal = normalMac(mac);
  if (!/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(normal))
    return refuse(`"${mac.slice(0, 40)}" is no address of a network card.`);
  if ((Number.parseInt(normal.slice(0, 2), 16) & 1) === 1)
    return refuse(`${normal} is an address of a group (multicast), which no card can have.`);
  if (normal === '00:00:00:00:00:00') return refuse(`${normal} is no address.`);
  if (normal.startsWith('fe:')) return refuse('Addresses that begin with fe are kept for the host.');
  return [];
}

const KEY_TYPES = [
  ...['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ...['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'],
];

/** The key itself begins with its type once more (RFC 4253, 6.6): a key that was cut or mixed up does not. */
function typeInside(base64: string): string | null {
  let bytes: string;
  try {
    bytes = atob(base64);
  } catch {
    return null; // no base64 at all
  }
  const length = [...bytes.slice(0, 4)].reduce((sum, byte) => sum * 256 + byte.charCodeAt(0), 0);
  // The type is followed by at least one more number, of 32 bytes or more.
  return bytes.length >= 4 + length + 36 ? bytes.slice(4, 4 + length) : null;
}

/** One line as in authorized_keys(5), without options before it. */
export function sshKeyIssues(line: string, field: string): Issue[] {
  const refuse = (message: string): Issue[] => [issueOf('ssh_key_invalid', message, field)];
  if (line.includes('PRIVATE KEY'))
    return refuse('That is a private key: it stays where it is. The machine needs the public one.');
  if (/\p{Cc}/u.test(line)) return refuse('The key is not one line.');
  const [type = '', key = ''] = line.trim().split(/ +/);
  if (!KEY_TYPES.includes(type)) return refuse(`A key cannot begin with "${type.slice(0, 40)}".`);
  if (typeInside(key) !== type) return refuse('The key is not complete.');
  return [];
}

const UEFI_MEMORY_BYTES = 128 * 1024 ** 2;
/** Its UEFI itself needs that much before any system is started. */
export const uefiMemoryIssues = (firmware: FirmwareKind, memoryBytes: number): Issue[] =>
  firmware !== 'bios' && memoryBytes < UEFI_MEMORY_BYTES
    ? [
        issueOf(
          'memory_invalid',
          'A machine that starts by UEFI needs 128 MiB of memory at least.',
          'memoryBytes',
        ),
      ]
    : [];
