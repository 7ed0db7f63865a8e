/**
 * The descriptor of a machine for other programs: OVF 1.1, which VirtualBox, VMware and Proxmox read (DSP0243 1.1.0; CIM
 * resource types of DSP1054). Hardware is what their guests have drivers for, not what it has here. Pure.
 */
import { HAD_VIRTIO, type VmDevices } from '$lib/shared/vm-devices';
import { xml, xmlText, type XmlNode } from '$lib/plugin-api/xml';

export interface OvfMachine {
  name: string;
  cpus: number;
  memoryBytes: number;
  /** The first one is what it starts from. `file` lies beside the descriptor. */
  disks: { file: string; sizeBytes: number }[];
  /** Name of the network of each card. */
  networks: string[];
  isEfi: boolean;
  devices: VmDevices;
}

const MIB = 1024 ** 2;
const ENVELOPE = 'http://schemas.dmtf.org/ovf/envelope/1';
const CIM = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2';
const NAMESPACES = {
  xmlns: ENVELOPE,
  'xmlns:ovf': ENVELOPE,
  'xmlns:rasd': `${CIM}/CIM_ResourceAllocationSettingData`,
  'xmlns:vssd': `${CIM}/CIM_VirtualSystemSettingData`,
  'xmlns:vmw': 'http://www.vmware.com/schema/ovf',
};
const STREAM_OPTIMIZED = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';
const TYPES = { cpu: 3, memory: 4, scsi: 6, network: 10, disk: 17 } as const;

const infoOf = (text: string): XmlNode => xml('Info', {}, text);
/** DSP0243 wants what is inside in the order of the alphabet. */
const item = (values: Record<string, string | number>): XmlNode =>
  xml(
    'Item',
    {},
    ...Object.entries(values)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => xml(`rasd:${name}`, {}, String(value))),
  );

function hardware({ name, cpus, memoryBytes, disks, networks, isEfi }: OvfMachine): XmlNode {
  const memory = Math.ceil(memoryBytes / MIB);
  let id = 0;
  const numbered = (type: keyof typeof TYPES, values: Record<string, string | number>): XmlNode =>
    item({ InstanceID: (id += 1), ResourceType: TYPES[type], ...values });
  return xml(
    'VirtualHardwareSection',
    {},
    infoOf('What the machine has'),
    xml(
      'System',
      {},
      xml('vssd:ElementName', {}, 'Virtual Hardware Family'),
      xml('vssd:InstanceID', {}, '0'),
      xml('vssd:VirtualSystemIdentifier', {}, name),
      xml('vssd:VirtualSystemType', {}, 'vmx-10'),
    ),
    numbered('cpu', {
      ...{ ElementName: `${cpus} CPUs`, VirtualQuantity: cpus, AllocationUnits: 'hertz * 10^6' },
      Description: 'Number of virtual CPUs',
    }),
    numbered('memory', {
      ...{ ElementName: `${memory} MiB of memory`, VirtualQuantity: memory },
      ...{ AllocationUnits: 'byte * 2^20', Description: 'Memory' },
    }),
    numbered('scsi', { ElementName: 'SCSI controller', ResourceSubType: 'lsilogic', Address: 0 }),
    ...disks.map((_disk, index) =>
      numbered('disk', {
        ...{ ElementName: `Disk ${index + 1}`, HostResource: `ovf:/disk/vmdisk${index + 1}` },
        ...{ Parent: 3, AddressOnParent: index },
      }),
    ),
    ...networks.map((network, index) =>
      numbered('network', {
        ...{ ElementName: `Network card ${index + 1}`, ResourceSubType: 'E1000', Connection: network },
        ...{ AutomaticAllocation: 'true', AddressOnParent: index + disks.length },
      }),
    ),
    xml('vmw:Config', {
      'ovf:required': 'false',
      'vmw:key': 'firmware',
      'vmw:value': isEfi ? 'efi' : 'bios',
    }),
  );
}

export function ovfText(machine: OvfMachine): string {
  const { name, disks, networks } = machine;
  const envelope = xml(
    'Envelope',
    NAMESPACES,
    xml(
      'References',
      {},
      ...disks.map(({ file }, index) => xml('File', { 'ovf:href': file, 'ovf:id': `file${index + 1}` })),
    ),
    xml(
      'DiskSection',
      {},
      infoOf('Its disks'),
      ...disks.map(({ sizeBytes }, index) =>
        xml('Disk', {
          ...{ 'ovf:capacity': sizeBytes, 'ovf:capacityAllocationUnits': 'byte' },
          ...{ 'ovf:diskId': `vmdisk${index + 1}`, 'ovf:fileRef': `file${index + 1}` },
          'ovf:format': STREAM_OPTIMIZED,
        }),
      ),
    ),
    xml(
      'NetworkSection',
      {},
      infoOf('The networks that it is plugged into'),
      ...[...new Set(networks)].map((network) =>
        xml('Network', { 'ovf:name': network }, xml('Description', {}, network)),
      ),
    ),
    xml(
      'VirtualSystem',
      { 'ovf:id': name },
      infoOf('A machine'),
      xml('Name', {}, name),
      // 1: some other one.
      xml('OperatingSystemSection', { 'ovf:id': 1 }, infoOf('The system in it')),
      machine.devices === 'virtio'
        ? xml('AnnotationSection', {}, infoOf('A note'), xml('Annotation', {}, HAD_VIRTIO))
        : null,
      hardware(machine),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xmlText(envelope)}\n`;
}
