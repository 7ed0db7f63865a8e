/**
 * Drives of a guest: a raw file each, which outlives the machine, behind nodes that can make it slow or broken:
 *
 *     device (scsi-hd, virtio-blk-pci, ide-hd, nvme) → throttle → [blkdebug →] raw → file
 *
 * Faults belong to the drive, not to the machine: they are still there after a power cut.
 */
import { createHash } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Bus = 'scsi' | 'virtio' | 'sata' | 'nvme';

export interface DriveSpec {
  /** What the drive is called by the case, and tells about itself unless `tells` is another. */
  serial: string;
  /** For drives that claim to be the same one. */
  tells?: string;
  /** 256 MiB unless told; the file is sparse. */
  sizeBytes?: number;
  /**
   * scsi unless told. scsi, virtio and nvme come and go while the guest runs; sata is there from the start (at most four)
   * and is the one with full SMART data. virtio has no WWN, no model and no SMART.
   */
  bus?: Bus;
  /** True unless told; NVMe never is. */
  rotational?: boolean;
  /** 16 hex digits; made from the serial unless told. */
  wwn?: string;
  model?: string;
  readOnly?: boolean;
  /** An existing file instead of a new, empty one. */
  file?: string;
}

/** What a drive does to requests: nothing, an I/O error for every one, or for those that touch one 512-byte sector. */
export type Fault = 'none' | 'all' | { sector: number };
export interface Limits {
  bytesPerSecond?: number;
  iops?: number;
}

export interface Drive {
  readonly spec: Required<DriveSpec>;
  /** Distinguishes the nodes of this drive; never reused within a machine. */
  readonly number: number;
  attached: boolean;
  /** SCSI target, PCI port or ATA position. */
  port: number;
  limits: Limits;
  reads: Fault;
  writes: Fault;
  /** The blkdebug node in use. */
  faultNode: string | null;
}

export const MiB = 1024 ** 2;
export const PCI_PORTS = 12;
export const SATA_PORTS = 4;
const SCSI_TARGETS = 64;

export const isPci = (bus: Bus): boolean => bus === 'virtio' || bus === 'nvme';
const portsOf = (bus: Bus): number => (bus === 'sata' ? SATA_PORTS : isPci(bus) ? PCI_PORTS : SCSI_TARGETS);

const wwnOf = (serial: string): string =>
  `5000c500${createHash('sha256').update(serial).digest('hex').slice(0, 8)}`;

/** Makes the file, and fills in what was not told. */
export async function makeDrive(spec: DriveSpec, number: number, folder: string): Promise<Drive> {
  const file = spec.file ?? join(folder, `drive-${number}.raw`);
  const sizeBytes = spec.sizeBytes ?? 256 * MiB;
  if (spec.file === undefined) {
    await writeFile(file, '');
    await truncate(file, sizeBytes);
  }
  return {
    spec: {
      tells: spec.serial,
      bus: 'scsi',
      rotational: true,
      wwn: wwnOf(spec.serial),
      model: 'LAB DRIVE',
      readOnly: false,
      ...spec,
      sizeBytes,
      file,
    },
    number,
    attached: false,
    port: -1,
    limits: {},
    reads: 'none',
    writes: 'none',
    faultNode: null,
  };
}

/**
 * A free port of the drive's bus.
 * @param wanted this one and no other
 */
export function choosePort(drive: Drive, all: Drive[], wanted?: number): number {
  const { bus, serial } = drive.spec;
  const shares = (other: Drive) => other.spec.bus === bus || (isPci(other.spec.bus) && isPci(bus));
  const taken = new Set(all.filter((other) => other.attached && shares(other)).map((other) => other.port));
  const ports = wanted === undefined ? [...Array(portsOf(bus)).keys()] : [wanted];
  const port = ports.find((candidate) => candidate < portsOf(bus) && !taken.has(candidate));
  if (port === undefined) throw new Error(`No free ${bus} port for ${serial}.`);
  return port;
}

export const deviceId = (drive: Drive): string => `drive${drive.number}`;
const rawNode = (drive: Drive): string => `raw${drive.number}`;
const groupId = (drive: Drive): string => `speed${drive.number}`;

/** QAPI ThrottleLimits; 0 is no limit. */
export const throttleLimits = ({ bytesPerSecond = 0, iops = 0 }: Limits): Record<string, number> => ({
  'bps-total': bytesPerSecond,
  'iops-total': iops,
});
export const throttleGroup = (drive: Drive): Record<string, unknown> => ({
  'qom-type': 'throttle-group',
  id: groupId(drive),
  limits: throttleLimits(drive.limits),
});
export const throttlePath = (drive: Drive): string => `/objects/${groupId(drive)}`;

const readOnly = (drive: Drive) => (drive.spec.readOnly ? { 'read-only': true } : { discard: 'unmap' });

export const throttleNode = (drive: Drive): Record<string, unknown> => ({
  driver: 'throttle',
  'node-name': deviceId(drive),
  'throttle-group': groupId(drive),
  file: drive.faultNode ?? rawNode(drive),
  ...readOnly(drive),
});

/** Every request of the kind fails with EIO, or those that touch the sector. */
const injection = (iotype: 'read' | 'write', fault: Fault): Record<string, unknown>[] =>
  fault === 'none'
    ? []
    : [{ event: 'none', iotype, errno: 5, ...(fault !== 'all' && { sector: fault.sector }) }];

export const blkdebugNode = (drive: Drive, name: string): Record<string, unknown> => ({
  driver: 'blkdebug',
  'node-name': name,
  image: rawNode(drive),
  'inject-error': [...injection('read', drive.reads), ...injection('write', drive.writes)],
  ...readOnly(drive),
});

/** The nodes below the device, in the order they have to be made. */
export function blockNodes(drive: Drive): Record<string, unknown>[] {
  const nodes: Record<string, unknown>[] = [
    {
      driver: 'raw',
      'node-name': rawNode(drive),
      file: { driver: 'file', filename: drive.spec.file, ...readOnly(drive) },
      ...readOnly(drive),
    },
  ];
  if (drive.reads !== 'none' || drive.writes !== 'none') {
    drive.faultNode = `fault${drive.number}`;
    nodes.push(blkdebugNode(drive, drive.faultNode));
  } else drive.faultNode = null;
  nodes.push(throttleNode(drive));
  return nodes;
}

/** Properties of the device. All are strings, as both the command line and device_add take them. */
export function device(drive: Drive): Record<string, string> {
  const { spec, port } = drive;
  const common = { id: deviceId(drive), drive: deviceId(drive), serial: spec.tells };
  const rotation_rate = spec.rotational ? '7200' : '1';
  const wwn = `0x${spec.wwn}`;
  const errors = { werror: 'report', rerror: 'report' };
  switch (spec.bus) {
    case 'scsi':
      return {
        driver: 'scsi-hd',
        ...common,
        ...errors,
        bus: 'scsi.0',
        'scsi-id': String(port),
        wwn,
        vendor: 'LAB',
        product: spec.model.slice(0, 16),
        rotation_rate,
      };
    case 'sata':
      return {
        driver: 'ide-hd',
        ...common,
        ...errors,
        bus: `pata.${port >> 1}`,
        unit: String(port & 1),
        wwn,
        model: spec.model,
        rotation_rate,
      };
    case 'virtio':
      return { driver: 'virtio-blk-pci', ...common, ...errors, bus: `port${port}` };
    case 'nvme':
      return { driver: 'nvme', ...common, bus: `port${port}` };
  }
}
