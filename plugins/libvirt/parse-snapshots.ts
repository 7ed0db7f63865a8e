/**
 * What libvirt and qemu-img tell of snapshots (libvirt.org/formatsnapshot.html). Pure.
 *
 * A restore leaves a note in the definition before it begins. What libvirt restores is the definition too, as it was when the
 * snapshot was taken: so the note is gone exactly when the machine is as it was then.
 */
import type { VmFirmware, VmSize, VmSnapshot, XmlNode } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';

import { firmwareIn } from './parse-found';

/** Namespace of the note. */
export const NOTE_URI = 'urn:cairn:restore';
export const NOTE_KEY = 'cairn';

/** Of the snapshot that is restored; the time tells it from another one with the same name. */
export interface Note {
  name: string;
  createdAt: number;
}
export interface Definition {
  /** Disks that are written to. */
  diskPaths: string[];
  note: Note | null;
  /** It starts by these, or has a TPM. */
  firmware: VmFirmware | null;
  tpm: boolean;
  /** Of those disks: `vda` */
  targets: string[];
  /** Why libvirt itself takes none of it; null: it does. */
  outside: string | null;
  /** Why its disks can have no snapshots. */
  obstacle: string | null;
}

export const noteNode = ({ xml }: PluginSdk, { name, createdAt }: Note): XmlNode =>
  xml('restore', { snapshot: name, taken: createdAt });

type Reader = Pick<PluginSdk, 'childOf' | 'childrenOf' | 'parseXml'>;

const INSTEAD = 'It was given that outside of Cairn.';

function outsideOf({ childOf }: Reader, domain: XmlNode): string | null {
  const devices = childOf(domain, 'devices');
  if (childOf(domain, 'os', 'nvram') || childOf(domain, 'os')?.attributes['firmware'] === 'efi')
    return `It starts by UEFI, whose variables lie outside of its disk: libvirt cannot keep both as one. ${INSTEAD}`;
  if (childOf(devices, 'tpm'))
    return `It has a TPM, whose content lies outside of its disk: libvirt cannot keep both as one. ${INSTEAD}`;
  return null;
}

function obstacleOf({ childOf, childrenOf }: Reader, domain: XmlNode): string | null {
  const written = writtenDisks({ childOf, childrenOf }, domain);
  if (written.length === 0) return 'It has no disk that is written to.';
  const other = written.find((disk) => childOf(disk, 'driver')?.attributes['type'] !== 'qcow2');
  if (other) return `Its disk ${childOf(other, 'target')?.attributes['dev'] ?? ''} is not of the kind qcow2.`;
  return null;
}

const writtenDisks = ({ childOf, childrenOf }: Pick<Reader, 'childOf' | 'childrenOf'>, domain: XmlNode) =>
  childrenOf(childOf(domain, 'devices'), 'disk').filter(
    (disk) => (disk.attributes['device'] ?? 'disk') === 'disk' && !childOf(disk, 'readonly'),
  );

/** `virsh dumpxml --inactive`. */
export function parseDefinition(sdk: Reader, text: string): Definition {
  const domain = sdk.parseXml(text);
  if (domain.name !== 'domain') throw new Error(`the element <${domain.name}>`);
  const note = sdk.childOf(domain, 'metadata', `${NOTE_KEY}:restore`)?.attributes;
  return {
    diskPaths: pathsOf(sdk, domain),
    note: note ? { name: note['snapshot'] ?? '', createdAt: Number(note['taken']) } : null,
    firmware: firmwareIn(sdk, domain),
    tpm: sdk.childOf(domain, 'devices', 'tpm') !== undefined,
    targets: writtenDisks(sdk, domain).map((disk) => sdk.childOf(disk, 'target')?.attributes['dev'] ?? ''),
    outside: outsideOf(sdk, domain),
    obstacle: obstacleOf(sdk, domain),
  };
}

const KIB = 1024;
function sizeOf({ childOf }: Reader, domain: XmlNode | undefined): VmSize {
  const cpus = childOf(domain, 'vcpu');
  const memory = childOf(domain, 'memory');
  const size = {
    cpus: Number(cpus?.attributes['current'] ?? cpus?.text),
    memoryBytes: Number(memory?.text) * KIB,
  };
  if (memory?.attributes['unit'] !== 'KiB' || !(size.cpus > 0) || !(size.memoryBytes > 0))
    throw new Error('a snapshot that does not tell its CPUs and its memory');
  return size;
}

const STATES: Record<string, VmSnapshot['wasIn']> = {
  ...{ running: 'running', paused: 'paused', shutoff: 'off', crashed: 'off', 'disk-snapshot': 'off' },
};
/** What a step can name without a doubt. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._:+-]{0,199}$/;

/** As libvirt knows it, with what the machine was then. */
export type KnownSnapshot = VmSnapshot & {
  diskPaths: string[];
  /** Of the machine then, whenever it is started; null: nobody knows. */
  definition: XmlNode | null;
};

const pathsOf = (reader: Reader, domain: XmlNode): string[] =>
  writtenDisks(reader, domain).flatMap((disk) => reader.childOf(disk, 'source')?.attributes['file'] ?? []);

/** libvirt calls it otherwise inside of a snapshot. */
const inactive = (domain: XmlNode | undefined): XmlNode | null =>
  domain ? { ...domain, name: 'domain' } : null;

function snapshotOf(reader: Reader, node: XmlNode): KnownSnapshot {
  const { childOf, childrenOf } = reader;
  const name = childOf(node, 'name')?.text;
  const createdAt = Number(childOf(node, 'creationTime')?.text) * 1_000;
  const state = childOf(node, 'state')?.text ?? '';
  const wasIn = STATES[state];
  if (!name || !(createdAt > 0) || !wasIn)
    throw new Error(`a snapshot "${name ?? ''}" in the state "${state}"`);
  const domain = childOf(node, 'inactiveDomain') ?? childOf(node, 'domain');
  const kinds = [childOf(node, 'memory'), ...childrenOf(childOf(node, 'disks'), 'disk')];
  const outside = kinds.some((kind) => kind?.attributes['snapshot'] === 'external');
  const why = outside
    ? 'It was made outside of Cairn and lies in files of its own, which libvirt cannot go back to here.'
    : SAFE_NAME.test(name)
      ? null
      : 'Its name was not given by Cairn, and cannot be used safely. Rename it, or delete it with virsh.';
  return {
    ...{ name, createdAt, wasIn, isCurrent: false, memoryBytes: null },
    description: childOf(node, 'description')?.text ?? null,
    parent: childOf(node, 'parent', 'name')?.text ?? null,
    size: sizeOf(reader, domain),
    diskPaths: domain ? pathsOf(reader, domain) : [],
    definition: inactive(domain),
    ...{ restoreWhy: why, deleteWhy: why },
  };
}

const END = '</domainsnapshot>';
/** `virsh snapshot-dumpxml`, for one after the other. In their text a `<` is escaped, so that the end of each is plain. */
export function parseSnapshots(reader: Reader, text: string): KnownSnapshot[] {
  const parts = text.split(END);
  const rest = parts.pop() ?? '';
  if (rest.trim() !== '') throw new Error(`the text ${JSON.stringify(rest.trim().slice(0, 80))}`);
  return parts.map((part) => snapshotOf(reader, reader.parseXml(`${part.trim()}${END}`)));
}

export interface DiskSnapshot {
  name: string;
  memoryBytes: number;
}
/** `qemu-img info --output=json`: what a qcow2 file holds besides its present content. */
export function parseDiskSnapshots(json: string): DiskSnapshot[] {
  const { format, snapshots = [] } = JSON.parse(json) as { format?: unknown; snapshots?: unknown };
  if (format !== 'qcow2' || !Array.isArray(snapshots)) throw new Error('it is no qcow2 image');
  return snapshots.map((one: { name?: unknown; 'vm-state-size'?: unknown }) => {
    const { name, 'vm-state-size': memoryBytes } = one;
    if (typeof name !== 'string' || typeof memoryBytes !== 'number')
      throw new Error('a snapshot without a name');
    return { name, memoryBytes };
  });
}
