/** The plans of an md pool's life: create, remove, mount, unmount, let go, rename. Pure. */
import type { JsonObject, Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PeekPlan, PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { REDUNDANT, STRIPED } from './layouts';
import { assembleCommand, assembleReadOnlyCommand, createCommand, stopCommand, zeroCommand } from './mdadm';
import { ID, nameOf, partsOf, tableOf, type Parts } from './parts';

export const look = (name: string, args: JsonObject): Look => ({ look: `${ID}/${name}`, args });

/** As the looks take them: drive and partition, 0 for the whole drive. */
export const placesArgument = (parts: Parts, drives: PoolDrive[]): [string, number][] =>
  drives.map((drive) => [drive.id, parts.memberOf(drive).partition ?? 0]);

export const superblocksLook = (parts: Parts, drives: PoolDrive[]): Look =>
  look('superblocks', { ...parts.array, places: placesArgument(parts, drives) });

/** A table and its partition for a drive that becomes a member. */
export function memberPartition(sdk: PluginSdk, spec: PoolSpec, drive: PoolDrive): Step[] {
  return [...sdk.wipeDrive(drive), ...sdk.partitionDrive(tableOf(sdk, spec, drive))];
}

/** Takes a drive's membership and its table away. A drive that is not there keeps what is on it. */
export function clearMember(sdk: PluginSdk, spec: PoolSpec, drive: PoolDrive): Step[] {
  if (!drive.present) return [];
  const parts = partsOf(sdk, spec);
  const ref = parts.memberOf(drive);
  const erase: Step = {
    name: `erase-superblock-${drive.slot}`,
    title: `Erase the RAID superblock on drive ${nameOf(drive)}`,
    run: zeroCommand(ref),
    undo: 'impossible',
    look: sdk.not(superblocksLook(parts, [drive])),
    destroys: [drive.id],
  };
  // Only a table that Cairn made is Cairn's to erase.
  const ownsTable = ref.partition !== undefined && spec.facts === undefined;
  return [erase, ...(ownsTable ? sdk.wipePartitionTable(tableOf(sdk, spec, drive)) : [])];
}

export function plansOf(sdk: PluginSdk) {
  const parts = (spec: PoolSpec): Parts => partsOf(sdk, spec);
  const filesystemOf = (spec: PoolSpec) => ({
    source: parts(spec).array,
    filesystem: parts(spec).type,
  });
  const present = (drives: PoolDrive[]): PoolDrive[] => drives.filter((drive) => drive.present);

  function assemble(spec: PoolSpec) {
    const { array, data, spares, memberOf } = parts(spec);
    return assembleCommand(spec.guid, array.array, present([...data, ...spares]).map(memberOf));
  }

  const startedLook = (spec: PoolSpec): Look => ({
    ...look('started', { ...parts(spec).array }),
    untilReboot: true,
  });

  function makeArray(spec: PoolSpec): Step[] {
    const all = parts(spec);
    const { layout, array, data, memberOf } = all;
    return [
      {
        name: 'create-array',
        title: `Make a ${layout.toUpperCase()} array of ${data.length} drives`,
        run: createCommand({
          guid: spec.guid,
          uuid: array.array,
          layout,
          chunkKib: STRIPED.includes(layout) ? Number(spec.options.chunkKib ?? 512) : null,
          bitmap: REDUNDANT.includes(layout) ? spec.options.bitmap !== false : null,
          members: data.map(memberOf),
        }),
        undo: [stopCommand(array), ...data.map((drive) => zeroCommand(memberOf(drive)))],
        look: superblocksLook(all, data),
      },
      {
        name: 'start-array',
        title: 'Wait for the array',
        run: assemble(spec),
        undo: [stopCommand(array)],
        look: startedLook(spec),
      },
      {
        name: 'clear-array',
        title: 'Erase what the drives held under an earlier array',
        run: sdk.wipeAction(array),
        undo: 'nothing',
        look: look('clear', { ...array, uuid: spec.guid }),
      },
    ];
  }

  function create(spec: PoolSpec): Step[] {
    const { array, data, type, filesystem } = parts(spec);
    const label = sdk.filesystemLabel(spec.label, filesystem.labelMaxLength);
    return [
      ...data.flatMap((drive) => memberPartition(sdk, spec, drive)),
      ...makeArray(spec),
      sdk.makeFilesystem({
        title: `Make a${type === 'ext4' ? 'n' : ''} ${filesystem.title} filesystem`,
        run: filesystem.make({ at: array, uuid: spec.guid, label }),
        at: [array],
        look: sdk.looks.filesystem(array, type, spec.guid),
      }),
      ...sdk.makeMountPoint(spec),
      sdk.mountFilesystem(spec, filesystemOf(spec)),
      ...sdk.writeIdentity(ID, spec),
    ];
  }

  const stopArray = (spec: PoolSpec): Step => ({
    name: 'stop-array',
    title: 'Stop the array',
    run: stopCommand(parts(spec).array),
    undo: [assemble(spec)],
    // udev assembles it again at the next boot.
    look: sdk.not({ ...look('started', { ...parts(spec).array, there: true }), untilReboot: true }),
  });

  function destroy(spec: PoolSpec): Step[] {
    const { array, data, spares, type, filesystem } = parts(spec);
    return [
      sdk.unmountFilesystem(spec, filesystemOf(spec)),
      ...sdk.removeMountPoint(spec),
      sdk.wipeFilesystem({
        title: `Erase the ${filesystem.title} filesystem`,
        at: array,
        type,
        uuid: spec.guid,
      }),
      stopArray(spec),
      ...[...data, ...spares].flatMap((drive) => clearMember(sdk, spec, drive)),
    ];
  }

  /**
   * udev may have collected some members and wait for the rest: such an array is let go first, since its members could
   * not be assembled otherwise.
   */
  function mount(spec: PoolSpec): Step[] {
    const { array } = parts(spec);
    return [
      {
        name: 'release-incomplete-array',
        title: 'Let go of an array that was not started',
        run: stopCommand(array),
        undo: 'nothing',
        look: sdk.not({ ...look('incomplete', { ...array }), untilReboot: true }),
      },
      {
        name: 'start-array',
        title: 'Start the array',
        run: assemble(spec),
        undo: [stopCommand(array)],
        look: startedLook(spec),
      },
      ...sdk.makeMountPoint(spec),
      sdk.mountFilesystem(spec, filesystemOf(spec)),
    ];
  }

  /** The folder stays: it is the pool's, and someone may have put a file into it meanwhile. The array goes on. */
  const unmount = (spec: PoolSpec): Step[] => [sdk.unmountFilesystem(spec, filesystemOf(spec))];
  const release = (spec: PoolSpec): Step[] => [...unmount(spec), stopArray(spec)];

  /**
   * A running array is mounted as it is. One of Cairn's that was let go of is started read-only for the moment, and then
   * whatever lies on it can be mounted: it cannot be written to.
   */
  function peek(spec: PoolSpec): PeekPlan {
    if (spec.facts?.running !== false) return sdk.mountReadOnly(spec, filesystemOf(spec));
    const { array, data, spares, memberOf } = partsOf(sdk, {
      ...spec,
      options: { filesystem: 'ext4', ...spec.options },
    });
    const started = look('started', { ...array });
    const { open, close } = sdk.mountReadOnly(spec, { source: array, filesystem: 'auto' });
    const stop = stopCommand(array);
    return {
      open: [
        {
          name: 'start-array-read-only',
          title: 'Start the array, read-only',
          run: assembleReadOnlyCommand(spec.guid, array.array, present([...data, ...spares]).map(memberOf)),
          undo: [stop],
          look: started,
        },
        ...open,
      ],
      close: [
        ...close,
        {
          name: 'stop-array',
          title: 'Stop the array again',
          run: stop,
          // Taking back the start does it.
          undo: 'nothing',
          look: sdk.not(look('started', { ...array, there: true })),
        },
      ],
    };
  }

  function rename(spec: PoolSpec, newLabel: string): Step[] {
    const { array, filesystem } = parts(spec);
    const labelOf = (text: string): string => sdk.filesystemLabel(text, filesystem.labelMaxLength);
    const [label, before] = [labelOf(newLabel), labelOf(spec.label)];
    const { mountPath } = spec;
    const setLabel: Step = {
      name: 'set-filesystem-label',
      title: `Set the filesystem's label to ${label}`,
      run: filesystem.setLabel({ at: array, mountPath, label }),
      undo: [filesystem.setLabel({ at: array, mountPath, label: before })],
      look: look('label', { ...array, uuid: spec.guid, mountPath, label }),
    };
    return [...(label === before ? [] : [setLabel]), sdk.rewriteIdentity(ID, spec, newLabel)];
  }

  return { create, destroy, mount, unmount, release, peek, rename };
}
