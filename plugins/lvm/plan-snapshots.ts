/** Snapshots of a thin volume. Pure; `list` reads. */
import type { Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PluginContext, PoolSpec, SnapshotReading } from '../../src/lib/plugin-api/storage';
import { lvm } from './lvm';
import { ID, layoutOf, namesOf, snapshotName, snapshotVolume } from './names';
import { partsFor, pathIn, poolLook, refsOf } from './parts';
import { see, type Parsers } from './reading';

/** @throws TypeError where the layout has none */
function mustBeThin(spec: PoolSpec): void {
  if (layoutOf(spec) !== 'thin') throw new TypeError(`the layout ${spec.layout} has no snapshots; thin has`);
}

export function snapshotPlans(sdk: PluginSdk, parsers: Parsers) {
  const parts = partsFor(sdk);

  async function list(context: PluginContext, spec: PoolSpec): Promise<SnapshotReading[]> {
    if (layoutOf(spec) !== 'thin') return [];
    const { group: name, groupUuid } = namesOf(spec);
    const drives = spec.drives.map((drive) => drive.id);
    const { group } = await see(context, parsers, { drives, group: name, guid: spec.guid, groupUuid });
    return (group?.volumes ?? []).flatMap((volume) => {
      const own = volume.thinPool === null ? null : snapshotName(volume.name);
      if (own === null) return [];
      return {
        name: own,
        createdAt: volume.madeAt,
        readOnly: volume.readOnly,
        exclusiveBytes: null,
        path: null,
      };
    });
  }

  const remove = (spec: PoolSpec, volume: string) =>
    lvm({ verb: 'lvremove', drives: refsOf(spec), argv: ['--force', pathIn(spec, volume)] });

  function create(spec: PoolSpec, { name }: { name: string }): Step[] {
    mustBeThin(spec);
    const snapshot = snapshotVolume(name);
    const { volume } = namesOf(spec);
    return [
      {
        name: 'make-snapshot',
        title: `Make the snapshot ${name}`,
        run: lvm({
          verb: 'lvcreate',
          drives: refsOf(spec),
          argv: ['--snapshot', '--permission', 'r', '--name', snapshot, pathIn(spec)],
        }),
        undo: [remove(spec, snapshot)],
        look: poolLook(spec, 'exists', { volume: snapshot, origin: volume }),
      },
    ];
  }

  function destroy(spec: PoolSpec, { name }: { name: string }): Step[] {
    mustBeThin(spec);
    const snapshot = snapshotVolume(name);
    return [
      {
        name: 'remove-snapshot',
        title: `Remove the snapshot ${name}`,
        run: remove(spec, snapshot),
        undo: 'impossible',
        look: sdk.not(poolLook(spec, 'exists', { volume: snapshot })),
      },
    ];
  }

  /**
   * The volume of now gets the name `keepAs`, and a new one is made from the snapshot under its name: every step can be
   * seen and taken back, and the snapshot stays (`lvconvert --merge` would use it up).
   */
  function rollBack(spec: PoolSpec, { name, keepAs }: { name: string; keepAs: string }): Step[] {
    mustBeThin(spec);
    const { group, volume } = namesOf(spec);
    const snapshot = snapshotVolume(name);
    const kept = snapshotVolume(keepAs);
    const drives = refsOf(spec);
    const protect = (permission: 'r' | 'rw') =>
      lvm({
        verb: 'lvchange',
        drives,
        argv: [
          ...['--permission', permission, '--setactivationskip', permission === 'r' ? 'y' : 'n'],
          pathIn(spec, kept),
        ],
      });
    return [
      sdk.unmountFilesystem(spec, parts.mountedAs(spec)),
      parts.deactivate(spec),
      {
        name: 'keep-volume',
        title: `Keep what is there now as the snapshot ${keepAs}`,
        run: lvm({ verb: 'lvrename', drives, argv: [group, volume, kept] }),
        undo: [lvm({ verb: 'lvrename', drives, argv: [group, kept, volume] })],
        look: poolLook(spec, 'exists', { volume: kept }),
      },
      {
        name: 'protect-kept',
        title: 'Make it read-only',
        run: protect('r'),
        undo: [protect('rw')],
        look: poolLook(spec, 'read-only', { volume: kept }),
      },
      {
        name: 'volume-from-snapshot',
        title: `Make the volume from the snapshot ${name}`,
        run: lvm({
          verb: 'lvcreate',
          drives,
          argv: [
            ...['--snapshot', '--setactivationskip', 'n', '--permission', 'rw'],
            ...['--name', volume, pathIn(spec, snapshot)],
          ],
        }),
        undo: [remove(spec, volume)],
        look: poolLook(spec, 'exists', { volume, origin: snapshot }),
      },
      parts.activate(spec),
      ...sdk.makeMountPoint(spec),
      sdk.mountFilesystem(spec, parts.mountedAs(spec)),
      ...sdk.refreshIdentity(ID, spec),
    ];
  }

  const obstacle = (_context: PluginContext, spec: PoolSpec): Promise<string | null> =>
    Promise.resolve(
      layoutOf(spec) === 'thin' ? null : `The layout ${spec.layout} has no snapshots; the layout thin has.`,
    );

  return { list, create, destroy, rollBack, obstacle };
}
