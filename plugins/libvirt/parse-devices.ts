/** `virsh dumpxml`: the disks of a domain (libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms). Pure. */
import type { XmlNode } from '../../src/lib/plugin-api';

export interface DomainDisk {
  /** `vda` */
  target: string;
  /** null: an empty drive, or nothing that is a file. */
  path: string | null;
}

const childOf = (node: XmlNode, name: string): XmlNode | undefined =>
  node.children.find((child) => child.name === name);

/** @throws Error for what is no definition of a domain */
export function disksIn(domain: XmlNode): DomainDisk[] {
  const devices = domain.name === 'domain' ? childOf(domain, 'devices') : undefined;
  if (!devices) throw new Error(`a document <${domain.name}> without devices`);
  return devices.children
    .filter(({ name }) => name === 'disk')
    .map((disk) => {
      const target = childOf(disk, 'target')?.attributes['dev'];
      if (target === undefined) throw new Error('a disk without a target');
      return { target, path: childOf(disk, 'source')?.attributes['file'] ?? null };
    });
}
