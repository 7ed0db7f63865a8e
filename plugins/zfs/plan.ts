/** Plans from drives to a mounted pool and back. Pure. */
import type { Action, Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PeekPlan, PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { allGroups, isLayout, type LayoutId } from './layout';
import {
  COMMENT_MAX_LENGTH,
  datasetOf,
  devicePath,
  diskUuid,
  importedBy,
  isTableOfOthers,
  mountOptionsOf,
  partitionOf,
  partitionUuid,
  poolOf,
} from './pool-names';
import * as call from './zfs';

export const ID = 'zfs';

export const lookOf = (look: string, args: Look['args']): Look => ({ look: `${ID}/${look}`, args });
export const bySlot = (spec: PoolSpec): PoolDrive[] => spec.drives.toSorted((a, b) => a.slot - b.slot);
export const presentOf = (spec: PoolSpec): PoolDrive[] => bySlot(spec).filter((drive) => drive.present);
export const nameOf = (drive: PoolDrive): string => drive.serial ?? drive.label;
export const roleOf = (drive: PoolDrive) => drive.role ?? 'data';

export function layoutOf(spec: PoolSpec): LayoutId {
  if (isLayout(spec.layout)) return spec.layout;
  throw new TypeError(`ZFS has no layout ${spec.layout}`);
}

const numbered = (steps: Step[], slot: number): Step[] =>
  steps.map((step) => ({ ...step, name: `${step.name}-${slot}` }));

const importedLook = (pool: string): Look => ({ ...lookOf('imported', { pool }), untilReboot: true });

export function importStep(spec: PoolSpec): Step {
  const pool = poolOf(spec);
  return {
    name: 'import-pool',
    title: 'Import the pool',
    run: call.importPool(importedBy(spec)),
    undo: [call.exportPool(pool)],
    look: importedLook(pool),
  };
}

/** Steps of a drive: what makes it ready for a pool, and what takes it back to blank. */
export function drivePlans(sdk: PluginSdk) {
  const tableOf = (spec: PoolSpec, drive: PoolDrive) => ({
    drive,
    diskUuid: diskUuid(sdk, spec.guid, drive.id),
    partitionUuid: partitionUuid(sdk, spec.guid, drive.id),
  });

  const prepare = (spec: PoolSpec, drive: PoolDrive): Step[] => [
    ...sdk.wipeDrive(drive),
    ...numbered(sdk.partitionDrive(tableOf(spec, drive)), drive.slot),
    {
      name: `name-partition-${drive.slot}`,
      title: `Wait for the lasting name of the partition on drive ${nameOf(drive)}`,
      run: call.waitForLink(devicePath(sdk, spec, drive)),
      undo: 'nothing',
      look: lookOf('link', { drive: drive.id, path: devicePath(sdk, spec, drive) }),
    },
  ];

  const clean = (spec: PoolSpec, drive: PoolDrive): Step[] => [
    {
      name: `clear-labels-${drive.slot}`,
      title: `Clear the labels of ZFS on drive ${nameOf(drive)}`,
      run: call.clearLabels({ drive: drive.id, partition: partitionOf(spec, drive) }),
      undo: 'impossible',
      look: sdk.not(
        lookOf('label', { drive: drive.id, partition: partitionOf(spec, drive), pool: poolOf(spec) }),
      ),
      destroys: [drive.id],
    },
    ...(isTableOfOthers(spec, drive)
      ? []
      : numbered(sdk.wipePartitionTable(tableOf(spec, drive)), drive.slot)),
  ];

  return { prepare, clean };
}

export function plansOf(sdk: PluginSdk) {
  const { prepare, clean } = drivePlans(sdk);
  const commentOf = (label: string): string => sdk.filesystemLabel(label, COMMENT_MAX_LENGTH);
  const filesystemOf = (spec: PoolSpec) => ({
    source: { source: datasetOf(poolOf(spec)) },
    filesystem: 'zfs',
    options: mountOptionsOf(poolOf(spec)),
  });
  const clearAction = (drive: PoolDrive): Action => call.clearLabels({ drive: drive.id, partition: 1 });

  function makePool(spec: PoolSpec): Step {
    const name = poolOf(spec);
    const drives = bySlot(spec);
    const placed = drives.map((drive) => ({
      path: devicePath(sdk, spec, drive),
      role: roleOf(drive),
    }));
    const ashift = String(spec.options.ashift ?? '12');
    return {
      name: 'make-pool',
      title: `Make a ZFS pool of ${drives.length === 1 ? 'the drive' : `${drives.length} drives`}`,
      run: call.createPool({
        name,
        groups: allGroups(layoutOf(spec), placed),
        pool: {
          ...(ashift === 'auto' ? {} : { ashift }),
          autoexpand: 'on',
          cachefile: 'none',
          comment: commentOf(spec.label),
        },
        root: {
          'cairn:guid': spec.guid,
          canmount: 'off',
          mountpoint: 'none',
          compression: String(spec.options.compression ?? 'lz4'),
          xattr: 'sa',
          acltype: 'posixacl',
          dnodesize: 'auto',
        },
      }),
      undo: [call.destroyPool(name, [0, 1]), ...drives.map(clearAction)],
      look: lookOf('created', {
        pool: name,
        paths: placed.map(({ path }) => path),
        drives: drives.map((drive) => drive.id),
      }),
      destroys: drives.map((drive) => drive.id),
    };
  }

  function makeDataset(spec: PoolSpec): Step {
    const pool = poolOf(spec);
    const dataset = datasetOf(pool);
    const recordsize = String(spec.options.recordsize ?? '128K');
    return {
      name: 'make-dataset',
      title: 'Make the dataset for the files',
      run: call.createDataset(dataset, { mountpoint: 'legacy', canmount: 'noauto', recordsize }),
      undo: 'nothing',
      look: lookOf('dataset', { pool, dataset }),
    };
  }

  const create = (spec: PoolSpec): Step[] => [
    ...bySlot(spec).flatMap((drive) => prepare(spec, drive)),
    makePool(spec),
    makeDataset(spec),
    ...sdk.makeMountPoint(spec),
    sdk.mountFilesystem(spec, filesystemOf(spec)),
    ...sdk.writeIdentity(ID, spec),
  ];

  /** A pool that is not imported has nothing to destroy but the labels on its drives. */
  function destroy(spec: PoolSpec): Step[] {
    const pool = poolOf(spec);
    return [
      sdk.unmountFilesystem(spec, filesystemOf(spec)),
      ...sdk.removeMountPoint(spec),
      {
        name: 'destroy-pool',
        title: 'Destroy the ZFS pool',
        run: call.destroyPool(pool),
        undo: 'impossible',
        look: sdk.not(lookOf('imported', { pool })),
      },
      ...presentOf(spec).flatMap((drive) => clean(spec, drive)),
    ];
  }

  const mount = (spec: PoolSpec): Step[] => [
    importStep(spec),
    ...sdk.makeMountPoint(spec),
    sdk.mountFilesystem(spec, filesystemOf(spec)),
  ];

  /** The folder stays: it is the pool's, and someone may have put a file into it meanwhile. */
  const unmount = (spec: PoolSpec): Step[] => [sdk.unmountFilesystem(spec, filesystemOf(spec))];

  function release(spec: PoolSpec): Step[] {
    const pool = poolOf(spec);
    return [
      ...unmount(spec),
      {
        name: 'export-pool',
        title: 'Export the pool, so that another machine may import it',
        run: call.exportPool(pool),
        undo: [call.importPool(importedBy(spec))],
        look: sdk.not(importedLook(pool)),
      },
    ];
  }

  function rename(spec: PoolSpec, newLabel: string): Step[] {
    const pool = poolOf(spec);
    const [before, after] = [commentOf(spec.label), commentOf(newLabel)];
    const setComment: Step = {
      name: 'set-comment',
      title: `Set the pool's comment to ${after}`,
      run: call.setPoolProperty(pool, 'comment', after),
      undo: [call.setPoolProperty(pool, 'comment', before)],
      look: lookOf('comment', { pool, value: after }),
    };
    return [...(before === after ? [] : [setComment]), sdk.rewriteIdentity(ID, spec, newLabel)];
  }

  /** Imported read-only nothing is written, replayed or remembered, not even which host it was. */
  function peek(spec: PoolSpec): PeekPlan {
    const pool = poolOf(spec);
    const { open, close } = sdk.mountReadOnly(spec, filesystemOf(spec));
    const look = lookOf('imported-untouched', { pool });
    return {
      open: [
        {
          name: 'import-read-only',
          title: 'Import the pool read-only, with nothing written to its drives',
          run: call.importReadOnly(importedBy(spec)),
          undo: [call.exportPool(pool)],
          look,
        },
        ...open,
      ],
      close: [
        ...close,
        {
          name: 'export-again',
          title: 'Let go of the pool again',
          run: call.exportPool(pool),
          undo: 'nothing',
          look: sdk.not(look),
        },
      ],
    };
  }

  return { create, destroy, mount, unmount, release, rename, peek };
}
