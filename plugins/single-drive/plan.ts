/** The plans of a single-drive pool. Pure. */
import type { DriveRef, Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PeekPlan, PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { FILESYSTEMS, type Filesystem, type FilesystemType } from './filesystems';

export const ID = 'single-drive';
export const LABEL_LOOK = `${ID}/label`;
const TABLE_LOOK = `${ID}/table`;

export interface Parts {
  drive: PoolDrive;
  at: DriveRef;
  partitioned: boolean;
  type: FilesystemType;
  filesystem: Filesystem;
}

/** @throws TypeError when the pool is not one of this plugin's */
export function partsOf(spec: PoolSpec): Parts {
  const [drive] = spec.drives;
  const type = spec.options.filesystem;
  if (!drive || spec.drives.length !== 1 || (type !== 'ext4' && type !== 'xfs'))
    throw new TypeError(`pool ${spec.guid} is not a single-drive pool`);
  const partitioned = spec.options.partition !== false;
  const at: DriveRef = partitioned
    ? { drive: drive.id, partition: Number(spec.facts?.partition ?? 1) }
    : { drive: drive.id };
  return { drive, at, partitioned, type, filesystem: FILESYSTEMS[type] };
}

export function plansOf(sdk: PluginSdk) {
  const tableOf = (spec: PoolSpec, drive: PoolDrive) => ({
    drive,
    diskUuid: sdk.derivedUuid(spec.guid, 'disk'),
    partitionUuid: sdk.derivedUuid(spec.guid, 'partition-1'),
  });
  /** A table that Cairn did not write is known by its own id, of whatever type it is. */
  function wipeTable(spec: PoolSpec, drive: PoolDrive): Step[] {
    const { tableType, tableId = null, partition } = spec.facts ?? {};
    if (tableType === undefined) return sdk.wipePartitionTable(tableOf(spec, drive));
    return [
      {
        name: 'erase-partition-table',
        title: `Erase the partition table of drive ${drive.serial ?? drive.label}`,
        run: sdk.wipeAction({ drive: drive.id }),
        undo: 'impossible',
        look: sdk.not({ look: TABLE_LOOK, args: { drive: drive.id, type: tableType, id: tableId } }),
        destroys: [drive.id],
      },
      {
        name: 'forget-partition',
        title: 'Let the system forget the partition',
        run: { do: 'forget-partitions', drive: drive.id },
        undo: 'nothing',
        look: sdk.not(sdk.looks.partitionNode(drive.id, Number(partition))),
      },
    ];
  }
  const labelOf = (label: string, filesystem: Filesystem): string =>
    sdk.filesystemLabel(label, filesystem.labelMaxLength);

  function create(spec: PoolSpec): Step[] {
    const { drive, at, partitioned, type, filesystem } = partsOf(spec);
    const label = labelOf(spec.label, filesystem);
    const reservedPercent = Number(spec.options.reservedPercent ?? 0);
    return [
      ...sdk.wipeDrive(drive),
      ...(partitioned ? sdk.partitionDrive(tableOf(spec, drive)) : []),
      sdk.makeFilesystem({
        title: `Make an ${filesystem.title} filesystem`,
        run: filesystem.make({ at, uuid: spec.guid, label, reservedPercent }),
        at: [at],
        look: sdk.looks.filesystem(at, type, spec.guid),
      }),
      ...sdk.makeMountPoint(spec),
      sdk.mountFilesystem(spec, { source: at, filesystem: type }),
      ...sdk.writeIdentity(ID, spec),
    ];
  }

  function destroy(spec: PoolSpec): Step[] {
    const { drive, at, partitioned, type, filesystem } = partsOf(spec);
    const unmount = sdk.unmountFilesystem(spec, { source: at, filesystem: type });
    // A drive that is not there keeps what is on it; the record and the mount can still go.
    const erase = drive.present
      ? [
          sdk.wipeFilesystem({
            title: `Erase the ${filesystem.title} filesystem`,
            at,
            type,
            uuid: spec.guid,
          }),
          ...(partitioned ? wipeTable(spec, drive) : []),
        ]
      : [];
    return [unmount, ...sdk.removeMountPoint(spec), ...erase];
  }

  function mount(spec: PoolSpec): Step[] {
    const { drive, at, partitioned, type } = partsOf(spec);
    return [
      ...(partitioned ? [showPartition(sdk, drive, at.partition ?? 1)] : []),
      ...sdk.makeMountPoint(spec),
      sdk.mountFilesystem(spec, { source: at, filesystem: type }),
    ];
  }

  function unmount(spec: PoolSpec): Step[] {
    const { at, type } = partsOf(spec);
    // The folder stays: it is the pool's, and someone may have put a file into it meanwhile.
    return [sdk.unmountFilesystem(spec, { source: at, filesystem: type })];
  }

  function rename(spec: PoolSpec, newLabel: string): Step[] {
    const { at, filesystem } = partsOf(spec);
    const label = labelOf(newLabel, filesystem);
    const before = labelOf(spec.label, filesystem);
    const look: Look = {
      look: LABEL_LOOK,
      args: {
        drive: at.drive,
        partition: at.partition ?? 0,
        uuid: spec.guid,
        mountPath: spec.mountPath,
        label,
      },
    };
    const setLabel: Step = {
      name: 'set-filesystem-label',
      title: `Set the filesystem's label to ${label}`,
      run: filesystem.setLabel({ at, mountPath: spec.mountPath, label }),
      undo: [filesystem.setLabel({ at, mountPath: spec.mountPath, label: before })],
      look,
    };
    return [...(label === before ? [] : [setLabel]), sdk.rewriteIdentity(ID, spec, newLabel)];
  }

  function peek(spec: PoolSpec): PeekPlan {
    const { at, type } = partsOf(spec);
    return sdk.mountReadOnly(spec, { source: at, filesystem: type });
  }

  return { create, destroy, mount, unmount, rename, peek };
}

/** After a restart the kernel may not have been told of the partition. Showing it changes nothing on the drive. */
function showPartition(sdk: PluginSdk, drive: PoolDrive, partition: number): Step {
  return {
    name: 'show-partition',
    title: 'Wait for the partition',
    run: { do: 'reread-partitions', drive: drive.id },
    undo: 'nothing',
    look: sdk.looks.partitionNode(drive.id, partition),
  };
}
