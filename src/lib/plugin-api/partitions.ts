/** Steps that give a drive a GPT with one partition, and take it away. Pure, like those in `steps.ts`. */
import { looks, not, type Look, type Step } from './plan';
import { driveName, wipeAction } from './steps';
import type { PoolDrive } from './storage';

export const SFDISK = '/usr/sbin/sfdisk';
const LINUX_FILESYSTEM = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';

export interface PartitionTable {
  drive: PoolDrive;
  /** Disk GUID of the GPT. */
  diskUuid: string;
  /** PARTUUID of its only partition. */
  partitionUuid: string;
  /** GPT type of the partition; a Linux filesystem unless told. */
  type?: string;
  /** Size of the partition, a whole number of MiB; all that there is unless told. */
  sizeBytes?: number;
  /** Several drives of the plan get a table: the steps are named by the drive's slot too. */
  oneOfMany?: boolean;
}
const MIB = 1024 ** 2;
const stepName = (name: string, { drive, oneOfMany }: PartitionTable): string =>
  oneOfMany ? `${name}-${drive.slot}` : name;
const tableLook = (table: PartitionTable): Look =>
  looks.partitionTable(table.drive.id, table.diskUuid, [table.partitionUuid]);

/**
 * A GPT with one partition over the whole drive, and its device node. sfdisk(8) is told not to speak to the kernel: the
 * node is a step of its own, so that each can be seen and taken back by itself.
 */
export function partitionDrive(table: PartitionTable): Step[] {
  const { drive } = table;
  const script = [
    'label: gpt',
    `label-id: ${table.diskUuid}`,
    '',
    [
      'start=2048',
      ...(table.sizeBytes === undefined ? [] : [`size=${Math.floor(table.sizeBytes / MIB)}MiB`]),
      `type=${table.type ?? LINUX_FILESYSTEM}`,
      `uuid=${table.partitionUuid}`,
      'name="cairn"',
    ].join(', '),
    '',
  ].join('\n');
  return [
    {
      name: stepName('partition-drive', table),
      title: `Make a partition table on drive ${driveName(drive)}`,
      run: {
        do: 'exec',
        program: SFDISK,
        argv: [
          ...['--wipe', 'always', '--wipe-partitions', 'always', '--label', 'gpt'],
          ...['--no-reread', '--no-tell-kernel', '--', { drive: drive.id }],
        ],
        stdin: script,
      },
      undo: [wipeAction({ drive: drive.id })],
      look: tableLook(table),
      destroys: [drive.id],
    },
    {
      name: stepName('show-partition', table),
      title: table.oneOfMany
        ? `Wait for the partition of drive ${driveName(drive)}`
        : 'Wait for the partition',
      run: { do: 'reread-partitions', drive: drive.id },
      undo: [{ do: 'forget-partitions', drive: drive.id }],
      look: looks.partitionNode(drive.id, 1),
    },
  ];
}

/** Takes away our partition table; one with another GUID is foreign and stays. */
export function wipePartitionTable(table: PartitionTable): Step[] {
  const { drive } = table;
  return [
    {
      name: stepName('erase-partition-table', table),
      title: `Erase the partition table of drive ${driveName(drive)}`,
      run: wipeAction({ drive: drive.id }),
      undo: 'impossible',
      look: not(tableLook(table)),
      destroys: [drive.id],
    },
    {
      name: stepName('forget-partition', table),
      title: table.oneOfMany
        ? `Let the system forget the partition of drive ${driveName(drive)}`
        : 'Let the system forget the partition',
      run: { do: 'forget-partitions', drive: drive.id },
      undo: 'nothing',
      look: not(looks.partitionNode(drive.id, 1)),
    },
  ];
}
