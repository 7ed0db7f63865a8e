/**
 * The descriptor of a machine that others made (DSP0243 1.1.0 and 2.1.1): VirtualBox, VMware and the like, of which each has prefixes
 * and units of its own. What is not understood and would make another machine of it refuses it. Pure.
 */
import { parseXml } from '$lib/plugin-api/parse-xml';
import type { XmlNode } from '$lib/plugin-api/xml';
import { HAD_VIRTIO, type VmDevices } from '$lib/shared/vm-devices';
import { refused } from './tar-members';

export interface OvfDisk {
  /** Name of its file in the package. */
  file: string;
}
export interface OvfDescription {
  name: string | null;
  cpus: number;
  /** null: in a unit that is not known. */
  memoryBytes: number | null;
  /** The first one is what it starts from. */
  disks: OvfDisk[];
  /** Network cards. */
  cards: number;
  /** It was made to start by EFI. */
  isEfi: boolean;
  /** common: nothing in it tells that its guest has drivers for virtio. */
  devices: VmDevices;
}

const MOST_DISKS = 8;
const TYPES = { cpu: 3, memory: 4, ide: 5, scsi: 6, network: 10, disk: 17 } as const;
const MIB = 1024 ** 2;

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);
const inside = (node: XmlNode | undefined, name: string): XmlNode[] =>
  node?.children.filter((child) => localName(child.name) === name) ?? [];
const attribute = (node: XmlNode, name: string): string | null =>
  Object.entries(node.attributes).find(([key]) => localName(key) === name)?.[1] ?? null;
const textIn = (node: XmlNode, name: string): string | null => inside(node, name)[0]?.text?.trim() ?? null;

function rootOf(text: string): XmlNode {
  // Before anything reads it as XML: entities are declared nowhere else.
  if (/<!\s*(?:DOCTYPE|ENTITY)/i.test(text))
    throw refused('Its descriptor declares a document type, which may lead anywhere: it is not read.');
  let root: XmlNode;
  try {
    root = parseXml(text);
  } catch {
    throw refused('Its descriptor is no XML that can be read.');
  }
  if (localName(root.name) !== 'Envelope') throw refused('Its descriptor is none of a machine.');
  return root;
}

/** `byte * 2^20`, and what older ones write: MegaBytes. */
function unitOf(text: string | null): number | null {
  const [, power] = /^byte\s*\*\s*2\^(\d{1,2})$/.exec(text ?? '') ?? [];
  if (power !== undefined) return 2 ** Number(power);
  const words: Record<string, number> = {
    byte: 1,
    kilobytes: 1_024,
    megabytes: MIB,
    mb: MIB,
    gigabytes: 1_024 * MIB,
  };
  return words[(text ?? '').toLowerCase()] ?? null;
}
function whole(text: string | null, what: string): number {
  const value = /^\d{1,12}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw refused(`Its descriptor does not tell ${what}.`);
  return value;
}

interface Item {
  id: string;
  type: number;
  node: XmlNode;
}
function itemsOf(system: XmlNode): Item[] {
  const [hardware] = inside(system, 'VirtualHardwareSection');
  if (!hardware) throw refused('Its descriptor does not tell what the machine has.');
  return ['Item', 'StorageItem', 'EthernetPortItem']
    .flatMap((name) => inside(hardware, name))
    .map((node) => ({
      ...{ node, id: textIn(node, 'InstanceID') ?? '' },
      type: Number(textIn(node, 'ResourceType') ?? Number.NaN),
    }));
}

/** In the order in which the machine sees them: by controller, and by place at it. */
function inOrder(items: Item[]): Item[] {
  const place = ({ node }: Item): [number, number] => [
    items.findIndex(({ id }) => id === textIn(node, 'Parent')),
    Number(textIn(node, 'AddressOnParent') ?? 0) || 0,
  ];
  return items
    .filter(({ type }) => type === TYPES.disk)
    .map((item) => ({ item, at: place(item) }))
    .toSorted((a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1])
    .map(({ item }) => item);
}

function fileOf(envelope: XmlNode, { node }: Item): OvfDisk {
  const resource = textIn(node, 'HostResource') ?? '';
  const diskId = /^(?:ovf:)?\/disk\/(.{1,200})$/.exec(resource)?.[1];
  const disks = inside(inside(envelope, 'DiskSection')[0], 'Disk');
  const disk = disks.find((one) => attribute(one, 'diskId') === diskId);
  if (diskId === undefined || !disk)
    throw refused(`A disk of it is "${resource.slice(0, 200)}", which is not in it.`);
  if (attribute(disk, 'parentRef')) throw refused('A disk of it only tells what differs from another one.');
  const format = attribute(disk, 'format') ?? '';
  if (!/vmdk/i.test(format))
    throw refused(`A disk of it is of a format that is not known: ${format.slice(0, 200)}.`);
  const fileId = attribute(disk, 'fileRef');
  const file = inside(inside(envelope, 'References')[0], 'File').find(
    (one) => attribute(one, 'id') === fileId,
  );
  const href = file && attribute(file, 'href');
  if (!file || !href) throw refused('A disk of it has no file in it.');
  const compression = attribute(file, 'compression') ?? '';
  if (compression !== '' && compression !== 'identity')
    throw refused(
      `"${href}" in it is compressed once more (${compression.slice(0, 50)}), which is not taken.`,
    );
  if (attribute(file, 'chunkSize')) throw refused(`"${href}" in it is cut into pieces, which are not taken.`);
  return { file: href };
}

/** virtio: its first disk hangs on such a controller (OVF 2 and oVirt say so), or whoever wrote it has noted it. */
function devicesOf(system: XmlNode, items: Item[]): VmDevices {
  const notes = inside(system, 'AnnotationSection').map((section) => textIn(section, 'Annotation'));
  const parent = textIn(inOrder(items)[0]?.node ?? system, 'Parent');
  const controller = items.find(({ id }) => id === parent)?.node;
  const kind = controller ? textIn(controller, 'ResourceSubType') : null;
  return notes.includes(HAD_VIRTIO) || /virtio/i.test(kind ?? '') ? 'virtio' : 'common';
}

/** @throws AppError image_unsupported that says what is wrong with it */
export function parseOvf(text: string): OvfDescription {
  const envelope = rootOf(text);
  if (inside(envelope, 'VirtualSystemCollection').length > 0)
    throw refused('There are several machines in it. One that has one machine is taken.');
  const [system, other] = inside(envelope, 'VirtualSystem');
  if (!system || other) throw refused('Its descriptor is not of one machine.');
  const items = itemsOf(system);
  const of = (type: number): XmlNode | undefined => items.find((item) => item.type === type)?.node;
  const [cpu, memory] = [of(TYPES.cpu), of(TYPES.memory)];
  if (!cpu || !memory)
    throw refused('Its descriptor does not tell how many CPUs and how much memory it has.');
  const disks = inOrder(items).map((item) => fileOf(envelope, item));
  if (disks.length === 0) throw refused('The machine in it has no disk.');
  if (disks.length > MOST_DISKS)
    throw refused(`The machine in it has ${disks.length} disks; ${MOST_DISKS} are the most.`);
  if (new Set(disks.map(({ file }) => file)).size < disks.length)
    throw refused('Two disks of it are one file.');
  const unit = unitOf(textIn(memory, 'AllocationUnits'));
  const hardware = inside(system, 'VirtualHardwareSection')[0];
  return {
    name: textIn(system, 'Name') ?? attribute(system, 'id'),
    cpus: whole(textIn(cpu, 'VirtualQuantity'), 'how many CPUs it has'),
    memoryBytes:
      unit === null ? null : whole(textIn(memory, 'VirtualQuantity'), 'how much memory it has') * unit,
    disks,
    cards: items.filter(({ type }) => type === TYPES.network).length,
    devices: devicesOf(system, items),
    isEfi: inside(hardware, 'Config').some(
      (one) => attribute(one, 'key') === 'firmware' && attribute(one, 'value') === 'efi',
    ),
  };
}
