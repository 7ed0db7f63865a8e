/** The plans that change an md pool which is there: more drives, other drives, checks. Pure. */
import type { DriveRef, ExecAction, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { ChangeVerb, PoolDrive, PoolReading, PoolSpec } from '../../src/lib/plugin-api/storage';
import { smallestAlike } from './layouts';
import {
  actionCommand,
  addCommand,
  failAndRemoveCommand,
  growCommand,
  removeCommand,
  replaceCommand,
  zeroCommand,
} from './mdadm';
import { ID, nameOf, partsOf, type Parts } from './parts';
import { clearMember, look, memberPartition, placesArgument } from './plan';

/** A new drive's member lies in a partition of ours, whatever the pool's found drives have. */
const freshRef = (drive: PoolDrive): DriveRef => ({ drive: drive.id, partition: 1 });

/** A newcomer leaves again, and carries nothing of the array any more. */
const takeOut = ({ array }: Parts, drive: PoolDrive): ExecAction[] => [
  failAndRemoveCommand(array, freshRef(drive)),
  zeroCommand(freshRef(drive)),
];

function addMember(parts: Parts, drive: PoolDrive, title: string): Step {
  const { array } = parts;
  return {
    name: `add-member-${drive.slot}`,
    title,
    run: addCommand(array, [freshRef(drive)]),
    // Also while the kernel fills it: then it stops, and nothing that others hold is lost.
    undo: takeOut(parts, drive),
    look: look('members', { ...array, places: [[drive.id, 1]] }),
  };
}

const notMember = (sdk: PluginSdk, parts: Parts, drive: PoolDrive) =>
  sdk.not(look('members', { ...parts.array, places: placesArgument(parts, [drive]) }));

export function changesOf(sdk: PluginSdk) {
  const partsFor = (spec: PoolSpec): Parts => partsOf(sdk, spec);
  const identity = (spec: PoolSpec, drives: PoolDrive[]): Step[] =>
    sdk.updateIdentity(ID, spec, { ...spec, drives });

  /** Reshaping moves every stripe and takes hours; the pool stays in use, and the work survives a power cut. */
  function expand(spec: PoolSpec, { added }: { added: PoolDrive[] }): Step[] {
    const parts = partsFor(spec);
    const { array, data, layout, type, filesystem } = parts;
    const count = data.length + added.length;
    const { mountPath } = spec;
    const grow: Step = {
      name: 'grow-array',
      title: `Give the array ${count} places`,
      run: growCommand(array, count),
      undo: 'impossible',
      look: look('places', { ...array, count }),
    };
    const settle: Step[] = [
      {
        name: 'wait-for-reshape',
        title: 'Wait until the array has spread its content over all drives',
        run: { do: 'wait' },
        undo: 'nothing',
        look: look('places', { ...array, count, settled: true }),
      },
      {
        name: 'grow-filesystem',
        title: `Let the ${filesystem.title} filesystem take the new space`,
        run: filesystem.grow({ at: array, mountPath }),
        undo: 'nothing',
        look: look('filesystem-size', { ...array, type, mountPath }),
      },
    ];
    return [
      ...added.flatMap((drive) => memberPartition(sdk, spec, drive)),
      ...added.map((drive) => addMember(parts, drive, `Add drive ${nameOf(drive)} to the array`)),
      grow,
      // One more mirror adds safety, not space.
      ...(layout === 'raid1' ? [] : settle),
      ...identity(spec, [...spec.drives, ...added]),
    ];
  }

  /**
   * While the old member still works it is copied, so that no redundancy is given up; else the rest rebuilds it. Until the
   * new one is filled it can be taken out again, and everything is as before; from then on there is only onward.
   */
  function replace(spec: PoolSpec, { old, fresh }: { old: PoolDrive; fresh: PoolDrive }): Step[] {
    const parts = partsFor(spec);
    const { array } = parts;
    const oldRef = parts.memberOf(old);
    const start: Step = {
      name: 'start-replacement',
      title: `Copy drive ${nameOf(old)} to ${nameOf(fresh)}`,
      run: replaceCommand(array, oldRef, freshRef(fresh)),
      undo: takeOut(parts, fresh),
      look: look('filling', { ...array, drive: fresh.id }),
    };
    const rebuild: Step = {
      name: 'rebuild',
      title: `Wait until drive ${nameOf(fresh)} has everything`,
      run: { do: 'wait' },
      undo: 'impossible',
      look: look('synced', { ...array, drive: fresh.id, ...(old.present ? { old: old.id } : {}) }),
    };
    const letGo: Step = {
      name: 'remove-old-member',
      title: `Take drive ${nameOf(old)} out of the array`,
      run: removeCommand(array, oldRef),
      undo: 'nothing',
      look: notMember(sdk, parts, old),
    };
    return [
      ...memberPartition(sdk, spec, fresh),
      addMember(parts, fresh, `Add drive ${nameOf(fresh)} to the array`),
      ...(old.present ? [start] : []),
      rebuild,
      ...(old.present ? [letGo, ...clearMember(sdk, spec, old)] : []),
      ...identity(
        spec,
        spec.drives.map((drive) => (drive.id === old.id ? fresh : drive)),
      ),
    ];
  }

  function removeDrive(spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] {
    const parts = partsFor(spec);
    const { array, data, layout } = parts;
    const ref = parts.memberOf(drive);
    const isSpare = drive.role === 'spare';
    const count = data.length - 1;
    const takeOut: Step = {
      name: 'remove-member',
      title: `Take drive ${nameOf(drive)} out of the array`,
      run: isSpare ? removeCommand(array, ref) : failAndRemoveCommand(array, ref),
      undo: [addCommand(array, [ref])],
      look: notMember(sdk, parts, drive),
    };
    const shrink: Step = {
      name: 'shrink-array',
      title: `Give the array ${count} places`,
      run: growCommand(array, count),
      undo: [growCommand(array, count + 1)],
      look: look('places', { ...array, count }),
    };
    return [
      ...(drive.present ? [takeOut] : []),
      ...(isSpare || layout !== 'raid1' ? [] : [shrink]),
      ...clearMember(sdk, spec, drive),
      ...identity(
        spec,
        spec.drives.filter((other) => other.id !== drive.id),
      ),
    ];
  }

  const addDrive = (spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] => [
    ...memberPartition(sdk, spec, drive),
    addMember(partsFor(spec), drive, `Add drive ${nameOf(drive)} as a spare`),
    ...identity(spec, [...spec.drives, drive]),
  ];

  /** With a bitmap only what was written meanwhile is copied. */
  function reAdd(spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] {
    const parts = partsFor(spec);
    const { array } = parts;
    const ref = parts.memberOf(drive);
    return [
      {
        name: 'remove-failed-member',
        title: `Let the array forget that drive ${nameOf(drive)} had failed`,
        run: removeCommand(array, ref),
        undo: 'nothing',
        look: sdk.not(look('failed', { ...array, drive: drive.id })),
      },
      {
        name: 'add-member',
        title: `Add drive ${nameOf(drive)} again`,
        run: addCommand(array, [ref]),
        undo: [failAndRemoveCommand(array, ref)],
        look: look('members', { ...array, places: placesArgument(parts, [drive]), healthy: true }),
      },
    ];
  }

  const scrub = (spec: PoolSpec, action: 'check' | 'idle'): Step[] => {
    const { array } = partsFor(spec);
    const underWay = look('scrubbing', { ...array });
    return [
      {
        name: action === 'check' ? 'start-check' : 'stop-check',
        title: action === 'check' ? 'Start to check the array' : 'Stop checking the array',
        run: actionCommand(array, action),
        undo: action === 'check' ? [actionCommand(array, 'idle')] : 'nothing',
        // An array of little content is checked in a moment.
        look: action === 'check' ? { ...underWay, fleeting: true } : sdk.not(underWay),
      },
    ];
  };

  return {
    expand,
    replace,
    removeDrive,
    addDrive,
    reAdd,
    startScrub: (spec: PoolSpec) => scrub(spec, 'check'),
    stopScrub: (spec: PoolSpec) => scrub(spec, 'idle'),
    replacementBytes: (spec: PoolSpec, old: PoolDrive): number =>
      smallestAlike(Math.min(old.sizeBytes, ...partsFor(spec).data.map((drive) => drive.sizeBytes))),
  };
}

const atWork = (reading: PoolReading | null): string | null => {
  const work = reading?.work?.find((entry) => entry.kind !== 'scrub');
  return work ? `${work.title}. Wait until that has ended.` : null;
};
const isScrubbing = (reading: PoolReading | null): boolean =>
  reading?.work?.some((entry) => entry.kind === 'scrub') ?? false;

const MOUNT_FIRST = 'Mount it first: who its members are is also written into it.';

/** Why a change does not fit now; null: it fits. */
export function refusal(
  verb: ChangeVerb,
  spec: PoolSpec,
  reading: PoolReading | null,
  member?: PoolDrive,
): string | null {
  const stripe = spec.layout === 'raid0';
  const running = reading !== null && !['inactive', 'missing', 'failed'].includes(reading.poolStatus);
  if (!running) return 'Its array does not run. Mount the pool first.';
  const degraded = reading.poolStatus === 'degraded';
  switch (verb) {
    case 'expand':
      if (stripe) return 'A stripe cannot take more drives. Make a new pool and copy the data.';
      if (!reading.mounted) return 'Mount it first: its filesystem grows while it is mounted.';
      if (degraded) return 'A member is missing. Replace it first.';
      return atWork(reading);
    case 'replace':
      if (!reading.mounted && !stripe) return MOUNT_FIRST;
      if (stripe) return 'A stripe has no second copy to rebuild from. Make a new pool and copy the data.';
      return atWork(reading);
    case 'remove-drive': {
      const data = spec.drives.filter((drive) => drive.role !== 'spare').length;
      const hasSpare = data < spec.drives.length;
      if (!reading.mounted) return MOUNT_FIRST;
      if (hasSpare && (!member || member.role === 'spare')) return atWork(reading);
      if (spec.layout !== 'raid1')
        return 'Only mirrors and spares can give a drive away; this layout needs each of its drives.';
      return data <= 2 ? 'A mirror needs two drives.' : atWork(reading);
    }
    case 'add-drive':
      if (stripe) return 'A stripe has nothing that a spare could be filled from.';
      return reading.mounted ? null : MOUNT_FIRST;
    case 're-add':
      if (stripe) return 'A stripe that has lost a drive cannot be made whole.';
      return degraded || reading.members.some((one) => one.status === 'faulty')
        ? null
        : 'No member is missing.';
    case 'start-scrub':
      if (stripe) return 'A stripe has no second copy to compare with.';
      if (isScrubbing(reading)) return 'It is being checked already.';
      return atWork(reading);
    case 'stop-scrub':
      return isScrubbing(reading) ? null : 'It is not being checked.';
    default:
      return 'An array spreads its data evenly by itself.';
  }
}
