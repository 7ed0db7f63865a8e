/** Changes of a pool that is there: more drives, other drives, scrub. Pure. */
import type { Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { EXTENT_BYTES, extentsOf, START_BYTES } from './capacity';
import { lvm } from './lvm';
import { layoutOf, nameOf, namesOf } from './names';
import { partsFor, pathIn, poolLook, refOf, refsOf } from './parts';
import { divisionOf } from './plan-create';

/** A move copies a drive, a repair starts at once; the longest drives of today take three days. */
const MOVE_TIMEOUT_MS = 7 * 24 * 3_600_000;
const CHANGE_TIMEOUT_MS = 10 * 60_000;

export function changePlans(sdk: PluginSdk) {
  const parts = partsFor(sdk);

  const enter = (spec: PoolSpec, added: PoolDrive[]): Step[] => [
    ...added.flatMap((drive) => sdk.wipeDrive(drive)),
    ...added.map((drive) => parts.makePhysical(spec, drive)),
    parts.joinGroup(spec, added),
  ];

  /** A further copy of everything: a mirror gets safer by more drives, not larger. */
  const addCopies = (spec: PoolSpec, added: PoolDrive[]): Step => {
    const count = spec.drives.length + added.length;
    const all = [...refsOf(spec), ...added.map(refOf)];
    const to = (copies: number) =>
      lvm({
        verb: 'lvconvert',
        drives: all,
        argv: ['--mirrors', String(copies - 1), pathIn(spec), ...added.map(refOf)],
        timeoutMs: CHANGE_TIMEOUT_MS,
      });
    return {
      name: 'add-copies',
      title: `Keep ${count} copies of everything`,
      run: to(count),
      undo: [to(spec.drives.length)],
      look: poolLook(spec, 'copies', { volume: namesOf(spec).volume, count }, [...spec.drives, ...added]),
    };
  };

  /** Undone it would cut the filesystem: LVM keeps the drives that are in use, and Cairn asks. */
  function growVolume(spec: PoolSpec, added: PoolDrive[]): Step[] {
    const drives = [...spec.drives, ...added];
    const all = [...refsOf(spec), ...added.map(refOf)];
    const { volume, thinPool } = namesOf(spec);
    const { extents, metadataExtents, virtualExtents } = divisionOf(spec, drives);
    const extend = (
      name: string,
      title: string,
      target: string,
      count: number,
      more: string[] = [],
    ): Step => ({
      name,
      title,
      run: lvm({
        verb: 'lvextend',
        drives: all,
        argv: ['--extents', String(count), ...more, pathIn(spec, target)],
        timeoutMs: CHANGE_TIMEOUT_MS,
      }),
      undo: 'impossible',
      look: poolLook(spec, 'size', { volume: target, bytes: count * EXTENT_BYTES }, drives),
    });
    if (thinPool === null) return [extend('grow-volume', 'Grow the volume', volume, extents)];
    const metadata = ['--poolmetadatasize', `${metadataExtents * EXTENT_BYTES}b`];
    return [
      extend('grow-thin-pool', 'Grow the thin pool', thinPool, extents, metadata),
      extend('grow-volume', 'Grow the thin volume', volume, virtualExtents),
    ];
  }

  function expand(spec: PoolSpec, { added }: { added: PoolDrive[] }): Step[] {
    if (layoutOf(spec) === 'mirror') return [...enter(spec, added), addCopies(spec, added)];
    const { extents, virtualExtents } = divisionOf(spec, [...spec.drives, ...added]);
    const bytes = (layoutOf(spec) === 'thin' ? virtualExtents : extents) * EXTENT_BYTES;
    return [...enter(spec, added), ...growVolume(spec, added), parts.growFilesystem(spec, bytes)];
  }

  const wait = (spec: PoolSpec, title: string): Step => ({
    name: 'wait-for-rebuild',
    title,
    run: { do: 'wait' },
    undo: 'nothing',
    look: poolLook(spec, 'in-sync', { volume: namesOf(spec).volume }),
  });

  const hasCopies = (spec: PoolSpec): boolean => ['mirror', 'raid5'].includes(layoutOf(spec));
  const refresh = (spec: PoolSpec): Step => ({
    name: 'refresh-volume',
    title: 'Bring every copy up to date',
    run: lvm({ verb: 'lvchange', drives: refsOf(spec), argv: ['--refresh', pathIn(spec)] }),
    undo: 'nothing',
    look: poolLook(spec, 'in-sync', { volume: namesOf(spec).volume }),
  });

  /** A mirror of both drives until everything is copied: nothing is ever less safe than it was. */
  function move(spec: PoolSpec, old: PoolDrive, fresh: PoolDrive): Step {
    const drives = [...refsOf(spec), refOf(fresh)];
    const from = (one: PoolDrive, other: PoolDrive) =>
      lvm({
        verb: 'pvmove',
        drives,
        argv: ['--atomic', '--interval', '5', refOf(one), refOf(other)],
        timeoutMs: MOVE_TIMEOUT_MS,
      });
    return {
      name: 'move-data',
      title: `Move everything from drive ${nameOf(old)} to ${nameOf(fresh)}`,
      run: from(old, fresh),
      undo: [lvm({ verb: 'pvmove', drives, argv: ['--abort', refOf(old)] }), from(fresh, old)],
      look: poolLook(
        spec,
        'moved',
        { from: parts.physicalOf(spec, old), to: parts.physicalOf(spec, fresh) },
        [...spec.drives, fresh],
      ),
    };
  }

  const leave = (spec: PoolSpec, drive: PoolDrive): Step => ({
    name: 'reduce-group',
    title: `Let drive ${nameOf(drive)} go from the volume group`,
    run: parts.leaveAction(spec, [drive]),
    undo: [lvm({ verb: 'vgextend', drives: refsOf(spec), argv: [namesOf(spec).group, refOf(drive)] })],
    look: sdk.not(poolLook(spec, 'members', { physical: [parts.physicalOf(spec, drive)] })),
  });

  /** Builds what was on drives that are gone again, on the new one, from the others. */
  function repair(spec: PoolSpec, fresh: PoolDrive): Step[] {
    const after: PoolSpec = { ...spec, drives: [...spec.drives.filter((drive) => drive.present), fresh] };
    const { volume, group } = namesOf(spec);
    return [
      parts.activate(spec),
      ...enter(spec, [fresh]),
      {
        name: 'repair-volume',
        title: `Build what is missing again on drive ${nameOf(fresh)}`,
        run: lvm({
          verb: 'lvconvert',
          drives: refsOf(after),
          argv: ['--repair', pathIn(spec), refOf(fresh)],
          timeoutMs: CHANGE_TIMEOUT_MS,
        }),
        // Who has it in use by then is left to decide: the group keeps a drive that is in use.
        undo: 'impossible',
        look: poolLook(after, 'repaired', { volume }),
      },
      {
        name: 'forget-missing',
        title: 'Forget the drive that is gone',
        run: lvm({ verb: 'vgreduce', drives: refsOf(after), argv: ['--removemissing', group] }),
        undo: 'impossible',
        look: poolLook(after, 'complete', {}),
      },
      wait(after, `Wait until drive ${nameOf(fresh)} has everything`),
    ];
  }

  function replace(spec: PoolSpec, { old, fresh }: { old: PoolDrive; fresh: PoolDrive }): Step[] {
    if (!old.present) return repair(spec, fresh);
    // The new drive is in the group by then: without it LVM would see a group that is not whole, and refuse.
    const both: PoolSpec = { ...spec, drives: [...spec.drives, fresh] };
    return [
      ...enter(spec, [fresh]),
      move(spec, old, fresh),
      // A copy that the kernel had given up for errors of its old drive is used again.
      ...(hasCopies(spec) ? [refresh(both)] : []),
      leave(both, old),
      parts.erasePhysical(spec, old),
    ];
  }

  /** As many extents as the old drive gives to the layout. */
  function replacementBytes(spec: PoolSpec, old: PoolDrive): number {
    const { sizeBytes } = old;
    const least = Math.min(...spec.drives.map((drive) => drive.sizeBytes));
    const used = hasCopies(spec) ? least : sizeBytes;
    return START_BYTES + extentsOf(used) * EXTENT_BYTES;
  }

  function removeDrive(spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] {
    const count = spec.drives.length - 1;
    const { volume } = namesOf(spec);
    const to = (copies: number) =>
      lvm({
        verb: 'lvconvert',
        drives: refsOf(spec),
        argv: ['--mirrors', String(copies - 1), pathIn(spec), refOf(drive)],
        timeoutMs: CHANGE_TIMEOUT_MS,
      });
    return [
      {
        name: 'drop-copy',
        title: `Give up the copy on drive ${nameOf(drive)}`,
        run: to(count),
        undo: [to(spec.drives.length)],
        look: poolLook(spec, 'copies', { volume, count }),
      },
      leave(spec, drive),
      parts.erasePhysical(spec, drive),
    ];
  }

  /** Books that were changed while it was away no longer trust it; what it missed is copied to it. */
  const reAdd = (spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] => [
    {
      name: 'restore-member',
      title: `Take drive ${nameOf(drive)} in again`,
      run: lvm({
        verb: 'vgextend',
        drives: refsOf(spec),
        argv: ['--restoremissing', namesOf(spec).group, refOf(drive)],
      }),
      undo: 'nothing',
      look: poolLook(spec, 'members', { physical: [parts.physicalOf(spec, drive)] }),
    },
    refresh(spec),
  ];

  const syncAction = (spec: PoolSpec, action: 'check' | 'idle') =>
    lvm({ verb: 'lvchange', drives: refsOf(spec), argv: ['--syncaction', action, pathIn(spec)] });
  const scrubLook = (spec: PoolSpec) => poolLook(spec, 'scrubbing', { volume: namesOf(spec).volume });
  const startScrub = (spec: PoolSpec): Step[] => [
    {
      name: 'start-scrub',
      title: 'Compare every copy with the others',
      run: syncAction(spec, 'check'),
      undo: [syncAction(spec, 'idle')],
      // A small volume is through before anybody looks.
      look: { ...scrubLook(spec), fleeting: true },
    },
  ];
  const stopScrub = (spec: PoolSpec): Step[] => [
    {
      name: 'stop-scrub',
      title: 'Stop the comparison',
      run: syncAction(spec, 'idle'),
      undo: 'nothing',
      look: sdk.not(scrubLook(spec)),
    },
  ];

  return { expand, replace, replacementBytes, removeDrive, reAdd, startScrub, stopScrub };
}
