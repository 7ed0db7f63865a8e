/** The plans of a btrfs pool whose drives change. It is mounted all the time. Pure. */
import type { Action, Argument, DriveRef, Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import {
  addCommand,
  cancelReplaceCommand,
  convertCommand,
  growCommand,
  profilesOf,
  removeCommand,
  replaceCommand,
  type Profiles,
} from './btrfs';

const refOf = (drive: PoolDrive): DriveRef => ({ drive: drive.id });
const nameOf = (drive: PoolDrive): string => drive.serial ?? drive.label;

/**
 * mkfs numbers its drives from 1, a drive that is added gets the highest number and one more, a replacement the number of
 * the old one: so do slots, from 0. The looks compare before anything is touched.
 */
const devidOf = (drive: PoolDrive): number => drive.slot + 1;
const memberArgument = (drive: PoolDrive): Argument =>
  drive.present ? refOf(drive) : String(devidOf(drive));

export function memberPlansOf(sdk: PluginSdk, id: string) {
  const look = (spec: PoolSpec, name: string, args: Look['args']): Look => ({
    look: `${id}/${name}`,
    args: { mountPath: spec.mountPath, uuid: spec.guid, ...args },
  });
  const withDrives = (spec: PoolSpec, drives: PoolDrive[]): PoolSpec => ({ ...spec, drives });

  /** @param undo the way back to other profiles; without it the earlier ones were no layout of ours */
  const convert = (spec: PoolSpec, wanted: Profiles, undo: Action[] | 'nothing'): Step => ({
    name: 'convert-profiles',
    title: `Keep all data as ${wanted.data} and all metadata as ${wanted.metadata}`,
    run: convertCommand(wanted, spec.mountPath),
    undo,
    look: look(spec, 'profiles', { ...wanted }),
  });

  /** The space is there at once; what is on the pool is spread by a balance, which is the user's to start. */
  function expand(spec: PoolSpec, { added }: { added: PoolDrive[] }): Step[] {
    const after = withDrives(spec, [...spec.drives, ...added]);
    const before = profilesOf(spec.layout, spec.drives.length);
    const wanted = profilesOf(spec.layout, after.drives.length);
    return [
      ...added.flatMap((drive) => sdk.wipeDrive(drive)),
      ...added.map((drive): Step => ({
        name: `add-drive-${drive.slot}`,
        title: `Add drive ${nameOf(drive)} to the filesystem`,
        run: addCommand(refOf(drive), spec.mountPath),
        undo: [removeCommand(refOf(drive), spec.mountPath)],
        look: look(spec, 'member', { drive: drive.id }),
        destroys: [drive.id],
      })),
      ...(before.metadata === wanted.metadata
        ? []
        : [convert(spec, wanted, [convertCommand(before, spec.mountPath)])]),
      ...sdk.updateIdentity(id, spec, after),
    ];
  }

  /** The old drive stays a member until the new one has everything; the kernel takes its superblock away then. */
  function replace(spec: PoolSpec, { old, fresh }: { old: PoolDrive; fresh: PoolDrive }): Step[] {
    const after = withDrives(spec, [...spec.drives.filter((drive) => drive.id !== old.id), fresh]);
    const args = { old: old.id, fresh: fresh.id, devid: devidOf(old), missing: !old.present };
    const grow: Step = {
      name: 'grow',
      title: `Use all of drive ${nameOf(fresh)}`,
      run: growCommand(devidOf(old), spec.mountPath),
      undo: 'nothing',
      look: look(spec, 'grown', { drive: fresh.id, sizeBytes: fresh.sizeBytes }),
    };
    const erase = sdk.wipeFilesystem({
      name: 'erase-old-drive',
      title: `Erase the btrfs filesystem on drive ${nameOf(old)}`,
      at: refOf(old),
      type: 'btrfs',
      uuid: spec.guid,
    });
    return [
      ...sdk.wipeDrive(fresh),
      {
        name: 'start-replacement',
        title: `Copy what belongs on drive ${nameOf(old)} to drive ${nameOf(fresh)}`,
        run: replaceCommand(memberArgument(old), refOf(fresh), spec.mountPath),
        undo: [
          cancelReplaceCommand(spec.mountPath),
          sdk.wipeAction(refOf(fresh)),
          { do: 'forget-btrfs', at: [refOf(fresh)] },
        ],
        look: look(spec, 'replaced', { ...args, begun: true }),
        destroys: [fresh.id],
      },
      {
        name: 'rebuild',
        title: `Wait until drive ${nameOf(fresh)} is complete`,
        run: { do: 'wait' },
        undo: 'impossible',
        look: look(spec, 'replaced', args),
      },
      convert(spec, profilesOf(spec.layout, after.drives.length), 'nothing'),
      ...(fresh.sizeBytes > old.sizeBytes ? [grow] : []),
      ...(old.present ? [erase] : []),
      ...sdk.updateIdentity(id, spec, after),
    ];
  }

  /** Going from two drives to one, the second copy of the metadata has to find its place on the one that stays first. */
  function removeDrive(spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] {
    const after = withDrives(
      spec,
      spec.drives.filter((member) => member.id !== drive.id),
    );
    const before = profilesOf(spec.layout, spec.drives.length);
    const wanted = profilesOf(spec.layout, after.drives.length);
    const shrinks = before.metadata !== wanted.metadata;
    const remove: Step = {
      name: 'remove-drive',
      title: drive.present
        ? `Move what is on drive ${nameOf(drive)} to the others`
        : `Make what was on drive ${nameOf(drive)} again on the others`,
      run: removeCommand(memberArgument(drive), spec.mountPath),
      // Cancelled on the way, the kernel leaves it a member as before; what has left would come back as another device.
      undo: drive.present ? [] : 'impossible',
      look: {
        ...look(spec, 'member', {
          ...{ drive: drive.id, devid: devidOf(drive), sizeBytes: drive.sizeBytes },
          ...{ missing: !drive.present, leaving: true },
        }),
        negate: true,
      },
    };
    return [
      ...(shrinks ? [convert(spec, wanted, [convertCommand(before, spec.mountPath)])] : []),
      remove,
      ...(drive.present ? [] : [convert(spec, wanted, 'nothing')]),
      ...sdk.updateIdentity(id, spec, after),
    ];
  }

  return { expand, replace, removeDrive };
}
