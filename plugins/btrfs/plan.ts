/** The plans of a btrfs pool. Pure. Drives are used whole: btrfs labels them itself, and a partition would add nothing. */
import type { DriveRef, Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PeekPlan, PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { labelCommand, makeCommand } from './btrfs';
import { isLayout } from './capacity';
import { dataSteps, snapshotPlans } from './plan-snapshots';

export const ID = 'btrfs';
/** Longest label that btrfs stores is 255 bytes; ours are shorter. */
const LABEL_MAX_LENGTH = 64;

const refOf = (drive: PoolDrive): DriveRef => ({ drive: drive.id });
const bySlot = (spec: PoolSpec): PoolDrive[] => spec.drives.toSorted((a, b) => a.slot - b.slot);
const presentOf = (spec: PoolSpec): PoolDrive[] => bySlot(spec).filter((drive) => drive.present);

const membersLook = (spec: PoolSpec): Look => ({
  look: `${ID}/members`,
  args: { drives: bySlot(spec).map((drive) => drive.id), uuid: spec.guid },
});

export function plansOf(sdk: PluginSdk) {
  const filesystemOf = (spec: PoolSpec) => {
    const present = presentOf(spec);
    const [first] = present;
    const compression = String(spec.options.compression ?? 'none');
    return {
      source: { drive: (first ?? bySlot(spec)[0])?.id ?? '' },
      filesystem: 'btrfs',
      options: [
        ...(compression === 'none' ? [] : [`compress=${compression}`]),
        ...(present.length < spec.drives.length ? ['degraded'] : []),
      ],
      // Named one by one (btrfs(5), `device=`): without udev nobody else tells the kernel of them, and what it may
      // remember of drives that are gone does not matter then.
      devices: present.map(refOf),
    };
  };

  function create(spec: PoolSpec): Step[] {
    if (!isLayout(spec.layout)) throw new TypeError(`btrfs has no layout ${spec.layout}`);
    const drives = bySlot(spec);
    const at = drives.map(refOf);
    const label = sdk.filesystemLabel(spec.label, LABEL_MAX_LENGTH);
    const make = sdk.makeFilesystem({
      title: `Make a btrfs filesystem on ${drives.length === 1 ? 'the drive' : `${drives.length} drives`}`,
      run: makeCommand({ drives: at, layout: spec.layout, uuid: spec.guid, label }),
      at,
      look: membersLook(spec),
    });
    return [
      ...drives.flatMap((drive) => sdk.wipeDrive(drive)),
      // Each is wiped by itself, and forgotten with the others.
      { ...make, undo: [...at.map((ref) => sdk.wipeAction(ref)), { do: 'forget-btrfs', at }] },
      ...sdk.makeMountPoint(spec),
      ...dataSteps(sdk, filesystemOf, spec),
      sdk.mountFilesystem(spec, filesystemOf(spec)),
      ...sdk.writeIdentity(ID, spec),
    ];
  }

  /** A drive a step, so that each is looked at by itself. A drive that is not there keeps what is on it. */
  const destroy = (spec: PoolSpec): Step[] => [
    sdk.unmountFilesystem(spec, filesystemOf(spec)),
    ...sdk.removeMountPoint(spec),
    ...presentOf(spec).map((drive) =>
      sdk.wipeFilesystem({
        name: `erase-filesystem-${drive.slot}`,
        title: `Erase the btrfs filesystem on drive ${drive.serial ?? drive.label}`,
        at: refOf(drive),
        type: 'btrfs',
        uuid: spec.guid,
      }),
    ),
    ...sdk.forgetBtrfs(presentOf(spec).map(refOf)),
  ];

  const mount = (spec: PoolSpec): Step[] => [
    ...sdk.makeMountPoint(spec),
    sdk.mountFilesystem(spec, filesystemOf(spec)),
  ];

  /** The folder stays: it is the pool's, and someone may have put a file into it meanwhile. */
  const unmount = (spec: PoolSpec): Step[] => [sdk.unmountFilesystem(spec, filesystemOf(spec))];

  /** Cairn made the folder: it goes when it is empty. */
  const release = (spec: PoolSpec): Step[] => [...unmount(spec), ...sdk.removeMountPoint(spec)];

  function rename(spec: PoolSpec, newLabel: string): Step[] {
    const label = sdk.filesystemLabel(newLabel, LABEL_MAX_LENGTH);
    const before = sdk.filesystemLabel(spec.label, LABEL_MAX_LENGTH);
    const setLabel: Step = {
      name: 'set-filesystem-label',
      title: `Set the filesystem's label to ${label}`,
      run: labelCommand(spec.mountPath, label),
      undo: [labelCommand(spec.mountPath, before)],
      look: {
        look: `${ID}/label`,
        args: {
          drives: bySlot(spec).map((drive) => drive.id),
          uuid: spec.guid,
          mountPath: spec.mountPath,
          label,
        },
      },
    };
    return [...(label === before ? [] : [setLabel]), sdk.rewriteIdentity(ID, spec, newLabel)];
  }

  /** Compression is for writing, so it is left away; a missing member is not waited for. */
  function peek(spec: PoolSpec): PeekPlan {
    const { options: _, ...what } = filesystemOf(spec);
    const complete = presentOf(spec).length === spec.drives.length;
    return sdk.mountReadOnly(spec, { ...what, options: complete ? [] : ['degraded'] });
  }

  return {
    plans: { create, destroy, mount, unmount, release, rename, peek },
    snapshots: snapshotPlans(sdk, ID, filesystemOf),
  };
}
