/** What the plans of this plugin are put together from. Pure. */
import type { Action, DriveRef, JsonObject, Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { FILESYSTEMS } from './filesystems';
import { DMSETUP, lvm } from './lvm';
import type { LookName } from './looks';
import {
  bySlot,
  filesystemOf,
  ID,
  layoutOf,
  mappedName,
  mappedOf,
  nameOf,
  namesOf,
  physicalUuid,
  presentOf,
} from './names';

export const refOf = (drive: Pick<PoolDrive, 'id'>): DriveRef => ({ drive: drive.id });
export const refsOf = (spec: PoolSpec): DriveRef[] => presentOf(spec).map(refOf);

/** @param drives those that LVM may read for the answer; the pool's own unless told */
export function poolLook(spec: PoolSpec, look: LookName, args: JsonObject, drives = spec.drives): Look {
  const { group, groupUuid } = namesOf(spec);
  return {
    look: `${ID}/${look}`,
    args: { ...args, drives: bySlot(drives).map((drive) => drive.id), group, guid: spec.guid, groupUuid },
  };
}

/** `group/volume`, as lvm(8) wants it. */
export const pathIn = (spec: PoolSpec, volume = namesOf(spec).volume): string =>
  `${namesOf(spec).group}/${volume}`;

/** Device-mapper names below the volume: what would be left of it when its removal is cut. */
export function partNames(spec: PoolSpec): string[] {
  const { group, volume, thinPool } = namesOf(spec);
  if (thinPool)
    return [
      mappedName(group, thinPool),
      `${mappedName(group, thinPool)}-tpool`,
      mappedName(group, `${thinPool}_tdata`),
      mappedName(group, `${thinPool}_tmeta`),
    ];
  if (layoutOf(spec) === 'linear') return [];
  return bySlot(spec.drives).flatMap((_drive, index) => [
    mappedName(group, `${volume}_rimage_${index}`),
    mappedName(group, `${volume}_rmeta_${index}`),
  ]);
}
/** Takes the volume out of the kernel without asking its drives: for when they are not there. 1: some had no device. */
export const removeDevices = (spec: PoolSpec): Action => ({
  do: 'exec',
  program: DMSETUP,
  argv: ['remove', '--retry', mappedOf(spec).mapped, ...partNames(spec)],
  okExitCodes: [0, 1],
});

export function partsFor(sdk: PluginSdk) {
  const physicalOf = (spec: PoolSpec, drive: PoolDrive): string => physicalUuid(sdk, spec, drive);
  const physicalLook = (spec: PoolSpec, drive: PoolDrive): Look =>
    sdk.looks.filesystem(refOf(drive), 'LVM2_member', physicalOf(spec, drive));

  /** pvcreate(8): the drive's own label and an empty book. */
  const makePhysical = (spec: PoolSpec, drive: PoolDrive): Step => ({
    name: `make-physical-volume-${drive.slot}`,
    title: `Make a physical volume of drive ${nameOf(drive)}`,
    run: lvm({
      verb: 'pvcreate',
      drives: [refOf(drive)],
      argv: [
        ...['--uuid', physicalOf(spec, drive), '--norestorefile', '--dataalignment', '1m', '--'],
        refOf(drive),
      ],
    }),
    undo: [sdk.wipeAction(refOf(drive))],
    look: physicalLook(spec, drive),
    destroys: [drive.id],
  });

  /** The group's books go with it: what is left of a group is told by the drives that are left. */
  const erasePhysical = (spec: PoolSpec, drive: PoolDrive): Step => ({
    name: `erase-physical-volume-${drive.slot}`,
    title: `Erase the physical volume of drive ${nameOf(drive)}`,
    run: sdk.wipeAction(refOf(drive)),
    undo: 'impossible',
    look: sdk.not(physicalLook(spec, drive)),
    destroys: [drive.id],
  });

  const activeLook = (spec: PoolSpec): Look => ({
    ...poolLook(spec, 'active', { mapped: mappedOf(spec).mapped, parts: partNames(spec) }),
    untilReboot: true,
  });
  /** With what is there, as far as the layout survives it. A snapshot's volume stays as it is. */
  const activateAction = (spec: PoolSpec): Action =>
    lvm({
      verb: 'lvchange',
      drives: refsOf(spec),
      argv: ['--activate', 'y', '--activationmode', 'degraded', pathIn(spec)],
    });
  const deactivateAction = (spec: PoolSpec): Action =>
    presentOf(spec).length === 0
      ? removeDevices(spec)
      : lvm({ verb: 'vgchange', drives: refsOf(spec), argv: ['--activate', 'n', namesOf(spec).group] });

  const activate = (spec: PoolSpec): Step => ({
    name: 'activate',
    title: 'Start the volume',
    run: activateAction(spec),
    undo: [deactivateAction(spec)],
    look: activeLook(spec),
  });
  const deactivate = (spec: PoolSpec): Step => ({
    name: 'deactivate',
    title: 'Stop the volume',
    run: deactivateAction(spec),
    undo: [activateAction(spec)],
    look: sdk.not(activeLook(spec)),
  });

  /** Deleted files give their space back to a thin pool at once. */
  const mountedAs = (spec: PoolSpec) => ({
    source: mappedOf(spec),
    filesystem: filesystemOf(spec),
    options: layoutOf(spec) === 'thin' ? ['discard'] : [],
  });

  const joinGroup = (spec: PoolSpec, added: PoolDrive[]): Step => ({
    name: 'extend-group',
    title: `Take ${added.map(nameOf).join(', ')} into the volume group`,
    run: lvm({
      verb: 'vgextend',
      drives: [...refsOf(spec), ...added.map(refOf)],
      argv: [namesOf(spec).group, ...added.map(refOf)],
    }),
    undo: [leaveAction(spec, added)],
    look: poolLook(spec, 'members', { physical: added.map((drive) => physicalOf(spec, drive)) }, [
      ...spec.drives,
      ...added,
    ]),
  });
  /** LVM refuses it while anything is on one of them. */
  const leaveAction = (spec: PoolSpec, leaving: PoolDrive[]): Action =>
    lvm({
      verb: 'vgreduce',
      drives: [
        ...new Map([...presentOf(spec), ...leaving].map((drive) => [drive.id, refOf(drive)])).values(),
      ],
      argv: [namesOf(spec).group, ...leaving.map(refOf)],
    });

  const growFilesystem = (spec: PoolSpec, bytes: number): Step => {
    const type = filesystemOf(spec);
    return {
      name: 'grow-filesystem',
      title: `Grow the ${FILESYSTEMS[type].title} filesystem`,
      run: FILESYSTEMS[type].grow({ at: mappedOf(spec), mountPath: spec.mountPath }),
      undo: 'impossible',
      look: {
        look: `${ID}/filled`,
        args: {
          mapped: mappedOf(spec).mapped,
          mountPath: spec.mountPath,
          uuid: spec.guid,
          type,
          bytes,
        },
      },
    };
  };

  return {
    physicalOf,
    makePhysical,
    erasePhysical,
    activate,
    deactivate,
    mountedAs,
    joinGroup,
    leaveAction,
    growFilesystem,
  };
}
export type Parts = ReturnType<typeof partsFor>;
