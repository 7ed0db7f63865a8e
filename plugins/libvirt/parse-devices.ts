/** `virsh dumpxml`: the disks and network cards of a domain (libvirt.org/formatdomain.html#devices). Pure. */
import type { XmlNode } from '../../src/lib/plugin-api';

export interface DomainDisk {
  /** `vda` */
  target: string;
  /** It takes CDs. */
  isCd: boolean;
  /** null: an empty drive, or nothing that is a file. */
  path: string | null;
}

const childOf = (node: XmlNode, name: string): XmlNode | undefined =>
  node.children.find((child) => child.name === name);

export interface DomainCard {
  mac: string;
  /** The host's bridge that somebody named for it; null: it is in a network of libvirt, or anywhere else. */
  bridge: string | null;
  /** All of it. */
  node: XmlNode;
}
export interface DomainDevices {
  /** It runs, and this is what it has at this moment. */
  isOn: boolean;
  disks: DomainDisk[];
  /** Addresses of its network cards, lower case. */
  macs: string[];
  cards: DomainCard[];
}

function diskOf(disk: XmlNode): DomainDisk {
  const target = childOf(disk, 'target')?.attributes['dev'];
  if (target === undefined) throw new Error('a disk without a target');
  return {
    target,
    isCd: disk.attributes['device'] === 'cdrom',
    path: childOf(disk, 'source')?.attributes['file'] ?? null,
  };
}
function macOf(card: XmlNode): string {
  const mac = childOf(card, 'mac')?.attributes['address'];
  if (mac === undefined) throw new Error('a network card without an address');
  return mac.toLowerCase();
}
const cardOf = (node: XmlNode): DomainCard => ({
  mac: macOf(node),
  // One in a network of libvirt that is on tells its bridge too.
  bridge:
    node.attributes['type'] === 'bridge' ? (childOf(node, 'source')?.attributes['bridge'] ?? null) : null,
  node,
});

/** @throws Error for what is no definition of a domain */
export function devicesIn(domain: XmlNode): DomainDevices {
  const devices = domain.name === 'domain' ? childOf(domain, 'devices') : undefined;
  if (!devices) throw new Error(`a document <${domain.name}> without devices`);
  const all = (name: string): XmlNode[] => devices.children.filter((device) => device.name === name);
  return {
    // libvirt numbers those that run.
    isOn: domain.attributes['id'] !== undefined,
    disks: all('disk').map(diskOf),
    macs: all('interface').map(macOf),
    cards: all('interface').map(cardOf),
  };
}
