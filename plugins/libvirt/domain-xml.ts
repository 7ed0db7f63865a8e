/** The definition of a domain (libvirt.org/formatdomain.html). Pure: the same machine gives the same text. */
import type { VmCard, VmDisk, VmSpec, XmlNode } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { NETWORK } from './virsh';

/** Free slots, so that disks and network cards can be added while it runs: q35 has none by itself. */
const SPARE_PORTS = 16;

export const MOST_DISKS = 8;
/** The controller that q35 has by itself has six places, of which the drive for CDs has the first. */
const MOST_SATA_DISKS = 5;
export const mostDisks = ({ devices }: Pick<VmSpec, 'devices'>): number =>
  devices === 'common' ? MOST_SATA_DISKS : MOST_DISKS;
/** `vda` is the disk in slot 1, whatever it is plugged into: it is a name among us and libvirt, no guest sees it. */
export const targetOf = ({ slot }: Pick<VmDisk, 'slot'>): string =>
  `vd${String.fromCharCode('a'.charCodeAt(0) + slot - 1)}`;

/** Its turn when the machine looks for a system; null: it has none. */
function bootNode(sdk: PluginSdk, spec: VmSpec, device: string): XmlNode | null {
  const place = sdk.bootOrderOf(spec).indexOf(device) + 1;
  return place > 0 ? sdk.xml('boot', { order: place }) : null;
}

/** One disk, as it is in a definition, and as it is handed to a machine that is there. */
const diskNode = (sdk: PluginSdk, spec: VmSpec, disk: VmDisk): XmlNode => {
  const { xml } = sdk;
  return xml(
    'disk',
    { type: 'file', device: 'disk' },
    xml('driver', { name: 'qemu', type: 'qcow2', discard: 'unmap' }),
    xml('source', { file: disk.path }),
    xml('target', { dev: targetOf(disk), bus: spec.devices === 'common' ? 'sata' : 'virtio' }),
    spec.devices === 'common'
      ? xml('address', { type: 'drive', controller: 0, bus: 0, target: 0, unit: disk.slot })
      : null,
    bootNode(sdk, spec, `disk-${disk.slot}`),
  );
};
export const diskXml = (sdk: PluginSdk, spec: VmSpec, disk: VmDisk): string =>
  sdk.xmlText(diskNode(sdk, spec, disk));

export const CD_TARGET = 'sda';
interface Cd {
  /** null: the drive is empty. */
  path: string | null;
  target: string;
  /** sata: every installer has a driver. scsi: so do the kernels of cloud images, of which some have none for SATA. */
  bus: 'sata' | 'scsi';
  /** See `bootNode`. */
  boot: XmlNode | null;
}
const cdNode = ({ xml }: PluginSdk, { path, target, bus, boot }: Cd): XmlNode =>
  xml(
    'disk',
    { type: 'file', device: 'cdrom' },
    xml('driver', { name: 'qemu', type: 'raw' }),
    path === null ? null : xml('source', { file: path }),
    xml('target', { dev: target, bus }),
    xml('readonly'),
    boot,
  );
export const cdDriveXml = (sdk: PluginSdk, spec: VmSpec): string =>
  sdk.xmlText(cdNode(sdk, { path: null, target: CD_TARGET, bus: 'sata', boot: bootNode(sdk, spec, 'cd') }));

/** The kernel of Debian's cloud images has no driver for SATA: what it never saw, cloud-init never read. */
const seedNodes = (sdk: PluginSdk, { seedPath }: VmSpec): (XmlNode | null)[] =>
  seedPath === null
    ? []
    : [
        sdk.xml('controller', { type: 'scsi', index: 0, model: 'virtio-scsi' }),
        cdNode(sdk, { path: seedPath, target: 'sdb', bus: 'scsi', boot: null }),
      ];

export const MOST_CARDS = 4;
/**
 * Of the range that QEMU uses. The first follows from the machine's id, the others from that and their slot: the same whenever
 * the machine is defined, and for a card that comes back.
 */
export function macOf({ derivedUuid }: Pick<PluginSdk, 'derivedUuid'>, id: string, slot: number): string {
  const uuid = slot === 1 ? id : derivedUuid(id, `card-${slot}`);
  return ['52', '54', '00', ...(/^(..)(..)(..)/.exec(uuid)?.slice(1) ?? [])].join(':');
}
const cardsOf = (sdk: PluginSdk, { id, cards }: VmSpec): VmCard[] =>
  cards ?? [{ slot: 1, mac: macOf(sdk, id, 1) }];
const cardNode = (sdk: PluginSdk, spec: VmSpec, { mac, bridge, slot }: VmCard): XmlNode => {
  const { xml } = sdk;
  return xml(
    'interface',
    { type: bridge === undefined ? 'network' : 'bridge' },
    xml('mac', { address: mac }),
    xml('source', bridge === undefined ? { network: NETWORK } : { bridge }),
    xml('model', { type: spec.devices === 'common' ? 'e1000e' : 'virtio' }),
    bootNode(sdk, spec, `card-${slot}`),
  );
};
/** The card as it is, whatever it has, plugged in elsewhere. */
export const movedCard = (sdk: PluginSdk, card: XmlNode, { bridge }: VmCard): XmlNode => ({
  ...card,
  attributes: { ...card.attributes, type: bridge === undefined ? 'network' : 'bridge' },
  children: card.children.map((child) =>
    child.name === 'source'
      ? sdk.xml('source', bridge === undefined ? { network: NETWORK } : { bridge })
      : child,
  ),
});
export const cardXml = (sdk: PluginSdk, spec: VmSpec, card: VmCard): string =>
  sdk.xmlText(cardNode(sdk, spec, card));

/** The processor's system management mode is where secure boot keeps what no guest may change. */
const osNode = ({ xml }: PluginSdk, { firmware }: VmSpec): XmlNode =>
  xml(
    'os',
    {},
    xml('type', { arch: 'x86_64', machine: 'q35' }, 'hvm'),
    firmware
      ? xml(
          'loader',
          { readonly: 'yes', ...(firmware.secure ? { secure: 'yes' } : {}), type: 'pflash' },
          firmware.loaderPath,
        )
      : null,
    firmware ? xml('nvram', { template: firmware.templatePath }, firmware.nvramPath) : null,
  );

/** `forbid`: a processor that is nearly the one that was chosen is none (libvirt.org/formatdomain.html#cpu-model-and-topology). */
function cpuNode({ xml }: PluginSdk, { cpuModel, topology, virtType }: VmSpec): XmlNode {
  const arranged = topology ? xml('topology', { ...topology }) : null;
  return cpuModel === undefined
    ? xml('cpu', { mode: virtType === 'kvm' ? 'host-passthrough' : 'maximum' }, arranged)
    : xml(
        'cpu',
        { mode: 'custom', match: 'exact', check: 'partial' },
        xml('model', { fallback: 'forbid' }, cpuModel),
        arranged,
      );
}

export function domainXml(sdk: PluginSdk, spec: VmSpec): string {
  const { xml, xmlText } = sdk;
  const devices = [
    ...sdk.disksOf(spec).map((disk) => diskNode(sdk, spec, disk)),
    cdNode(sdk, { path: spec.cdPath, target: CD_TARGET, bus: 'sata', boot: bootNode(sdk, spec, 'cd') }),
    ...seedNodes(sdk, spec),
    xml('controller', { type: 'pci', index: 0, model: 'pcie-root' }),
    ...Array.from({ length: SPARE_PORTS }, () => xml('controller', { type: 'pci', model: 'pcie-root-port' })),
    ...cardsOf(sdk, spec).map((card) => cardNode(sdk, spec, card)),
    xml('serial', { type: 'pty' }),
    xml('channel', { type: 'unix' }, xml('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' })),
    xml('input', { type: 'tablet', bus: 'usb' }),
    xml('graphics', { type: 'vnc' }, xml('listen', { type: 'socket' })),
    xml('video', {}, xml('model', { type: 'vga' })),
    // persistent_state: a plain `virsh undefine` does not take along what is in it.
    spec.tpm
      ? xml(
          'tpm',
          { model: 'tpm-crb' },
          xml('backend', { type: 'emulator', version: '2.0', persistent_state: 'yes' }),
        )
      : null,
    xml('rng', { model: 'virtio' }, xml('backend', { model: 'random' }, '/dev/urandom')),
  ];
  return xmlText(
    xml(
      'domain',
      { type: spec.virtType },
      xml('name', {}, spec.name),
      xml('uuid', {}, spec.id),
      xml('memory', { unit: 'b' }, String(spec.memoryBytes)),
      xml('vcpu', {}, String(spec.cpus)),
      osNode(sdk, spec),
      xml(
        'features',
        {},
        xml('acpi'),
        xml('apic'),
        spec.firmware?.secure ? xml('smm', { state: 'on' }) : null,
      ),
      cpuNode(sdk, spec),
      xml('clock', { offset: 'utc' }),
      spec.asRoot
        ? xml('seclabel', { type: 'static', model: 'dac', relabel: 'no' }, xml('label', {}, '+0:+0'))
        : null,
      xml('devices', {}, ...devices),
    ),
  );
}
