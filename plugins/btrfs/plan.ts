/** The plans of a btrfs pool. Pure. Drives are used whole: btrfs labels them itself, and a partition would add nothing. */
import type { DriveRef, Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { labelCommand, makeCommand, scanCommand } from './btrfs';
import { isLayout } from './capacity';

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

/**
 * Mounting finds the other members among the devices that the kernel has been told of; udev does that where it runs.
 * Nothing to take back: what the kernel knows of a device is forgotten when the device's content changes.
 */
function scanStep(spec: PoolSpec): Step {
  const present = presentOf(spec);
  return {
    name: 'scan-drives',
    title: 'Tell the kernel which drives belong together',
    run: scanCommand(present.map(refOf)),
    undo: 'nothing',
    look: {
      look: `${ID}/known`,
      args: {
        drives: present.map((drive) => drive.id),
        incomplete: present.length < spec.drives.length,
      },
    },
  };
}

export function plansOf(sdk: PluginSdk) {
  const filesystemOf = (spec: PoolSpec) => {
    const [first] = presentOf(spec);
    const compression = String(spec.options.compression ?? 'none');
    return {
      source: { drive: (first ?? bySlot(spec)[0])?.id ?? '' },
      filesystem: 'btrfs',
      options: [
        ...(compression === 'none' ? [] : [`compress=${compression}`]),
        ...(presentOf(spec).length < spec.drives.length ? ['degraded'] : []),
      ],
    };
  };

  function create(spec: PoolSpec): Step[] {
    if (!isLayout(spec.layout)) throw new TypeError(`btrfs has no layout ${spec.layout}`);
    const drives = bySlot(spec);
    const at = drives.map(refOf);
    const label = sdk.filesystemLabel(spec.label, LABEL_MAX_LENGTH);
    return [
      ...drives.flatMap((drive) => sdk.wipeDrive(drive)),
      sdk.makeFilesystem({
        title: `Make a btrfs filesystem on ${drives.length === 1 ? 'the drive' : `${drives.length} drives`}`,
        run: makeCommand({ drives: at, layout: spec.layout, uuid: spec.guid, label }),
        at,
        look: membersLook(spec),
      }),
      scanStep(spec),
      ...sdk.makeMountPoint(spec),
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
  ];

  const mount = (spec: PoolSpec): Step[] => [
    scanStep(spec),
    ...sdk.makeMountPoint(spec),
    sdk.mountFilesystem(spec, filesystemOf(spec)),
  ];

  /** The folder stays: it is the pool's, and someone may have put a file into it meanwhile. */
  const unmount = (spec: PoolSpec): Step[] => [sdk.unmountFilesystem(spec, filesystemOf(spec))];

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

  return { create, destroy, mount, unmount, rename };
}
