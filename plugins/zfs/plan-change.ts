/** Plans that change the drives of a pool, and scrubs. Pure. */
import type { Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { ChangeVerb, PoolDrive, PoolReading, PoolSpec } from '../../src/lib/plugin-api/storage';
import { allGroups, dataGroups, fewestDrives, type VdevGroup } from './layout';
import { bySlot, drivePlans, ID, layoutOf, lookOf, nameOf, roleOf } from './plan';
import { devicePath, poolOf } from './pool-names';
import * as call from './zfs';

const count = (drives: number): string => (drives === 1 ? '1 drive' : `${drives} drives`);

export function changesOf(sdk: PluginSdk) {
  const { prepare, clean } = drivePlans(sdk);
  const pathOf = (spec: PoolSpec, drive: PoolDrive): string => devicePath(sdk, spec, drive);

  /** Who belongs to the pool, in its own file too. */
  const tell = (spec: PoolSpec, joins: PoolDrive[], leaves: PoolDrive[]): Step[] =>
    sdk.updateIdentity(ID, spec, {
      ...spec,
      drives: [...spec.drives.filter((drive) => !leaves.some((one) => one.id === drive.id)), ...joins],
    });

  const waitFor = (spec: PoolSpec, drive: PoolDrive): Step => ({
    name: 'rebuild',
    title: `Wait until everything is on drive ${nameOf(drive)}`,
    run: { do: 'wait' },
    undo: 'nothing',
    look: lookOf('built', { pool: poolOf(spec), path: pathOf(spec, drive) }),
  });

  const add = (spec: PoolSpec, drives: PoolDrive[], groups: VdevGroup[]): Step => ({
    name: 'add-drives',
    title: `Add ${count(drives.length)} to the pool`,
    run: call.addVdevs(poolOf(spec), groups),
    undo: 'impossible',
    look: lookOf('member', {
      pool: poolOf(spec),
      paths: drives.map((drive) => pathOf(spec, drive)),
    }),
    destroys: drives.map((drive) => drive.id),
  });

  /** One more drive beside the last of the mirrors: a further copy of what is on that mirror. */
  function attach(spec: PoolSpec, drive: PoolDrive): Step[] {
    const beside = bySlot(spec).findLast(
      (other) => roleOf(other) === 'data' && other.present && other.id !== drive.id,
    );
    if (!beside) throw new TypeError('There is no drive beside which another one could be attached.');
    const pool = poolOf(spec);
    const path = pathOf(spec, drive);
    return [
      {
        name: 'attach-drive',
        title: `Attach drive ${nameOf(drive)} as a further copy`,
        run: call.attachDrive(pool, pathOf(spec, beside), path),
        undo: [call.detachDrive(pool, path)],
        look: lookOf('member', { pool, paths: [path] }),
        destroys: [drive.id],
      },
      waitFor(spec, drive),
    ];
  }

  /** What is added is a vdev of the pool's own layout, so that the pool survives what it survived before. */
  function expand(spec: PoolSpec, { added }: { added: PoolDrive[] }): Step[] {
    const layout = layoutOf(spec);
    const ready = added.flatMap((drive) => prepare(spec, drive));
    const [first] = added;
    if (layout === 'mirror' && first && added.length === 1)
      return [...ready, ...attach(spec, first), ...tell(spec, added, [])];
    if (added.length < fewestDrives(layout))
      throw new TypeError(`A ${layout} pool grows by ${fewestDrives(layout)} drives or more at a time.`);
    const groups = dataGroups(
      layout,
      added.map((drive) => pathOf(spec, drive)),
    );
    return [...ready, add(spec, added, groups), ...tell(spec, added, [])];
  }

  function join(spec: PoolSpec, drive: PoolDrive): Step[] {
    const groups = allGroups(layoutOf(spec), [{ path: pathOf(spec, drive), role: roleOf(drive) }]);
    return [...prepare(spec, drive), add(spec, [drive], groups)];
  }
  const addDrive = (spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] => [
    ...join(spec, drive),
    ...tell(spec, [drive], []),
  ];

  /** Spares and caches hold nothing that would have to be rebuilt: the new one is added, the old one let go. */
  function exchange(spec: PoolSpec, old: PoolDrive, fresh: PoolDrive): Step[] {
    const role = roleOf(old);
    const newcomer: PoolDrive = role === 'data' ? fresh : { ...fresh, role };
    return [...join(spec, newcomer), letGo(spec, old)];
  }

  function replace(spec: PoolSpec, { old, fresh }: { old: PoolDrive; fresh: PoolDrive }): Step[] {
    const pool = poolOf(spec);
    const path = pathOf(spec, fresh);
    const swap: Step[] =
      roleOf(old) === 'spare' || roleOf(old) === 'cache'
        ? exchange(spec, old, fresh)
        : [
            ...prepare(spec, fresh),
            {
              name: 'replace-drive',
              title: `Put drive ${nameOf(fresh)} in the place of drive ${nameOf(old)}`,
              run: call.replaceDrive(pool, pathOf(spec, old), path),
              undo: [call.detachDrive(pool, path)],
              look: lookOf('member', { pool, paths: [path] }),
              destroys: [fresh.id],
            },
            waitFor(spec, fresh),
          ];
    return [...swap, ...cleaned(spec, old), ...tell(spec, [fresh], [old])];
  }

  /** Both drives of an exchange have the same slot: the names of the steps have to differ. */
  const cleaned = (spec: PoolSpec, drive: PoolDrive): Step[] =>
    drive.present ? clean(spec, drive).map((step) => ({ ...step, name: `${step.name}-leaving` })) : [];

  function letGo(spec: PoolSpec, drive: PoolDrive): Step {
    const pool = poolOf(spec);
    const path = pathOf(spec, drive);
    const detaches = roleOf(drive) === 'data' && layoutOf(spec) === 'mirror';
    return {
      name: 'remove-drive',
      title: `Take drive ${nameOf(drive)} out of the pool`,
      run: detaches ? call.detachDrive(pool, path) : call.removeVdev(pool, path),
      undo: 'impossible',
      look: sdk.not(lookOf('member', { pool, paths: [path] })),
    };
  }

  const removeDrive = (spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] => [
    letGo(spec, drive),
    ...cleaned(spec, drive),
    ...tell(spec, [], [drive]),
  ];

  /** A suspended pool goes on first: until then no device of it can be changed. */
  function reAdd(spec: PoolSpec, { drive }: { drive: PoolDrive }): Step[] {
    const pool = poolOf(spec);
    const path = pathOf(spec, drive);
    return [
      {
        name: 'resume',
        title: 'Let the pool go on if it waits for its drives',
        run: call.clearErrors(pool),
        undo: 'nothing',
        look: lookOf('answering', { pool }),
      },
      {
        name: 'forget-errors',
        title: `Forget the errors that were counted on drive ${nameOf(drive)}`,
        run: call.clearErrors(pool, path),
        undo: 'nothing',
        look: lookOf('trusted', { pool, paths: [path] }),
      },
      {
        name: 'use-drive',
        title: `Use drive ${nameOf(drive)} again`,
        run: call.onlineDrive(pool, path),
        undo: 'nothing',
        look: lookOf('online', { pool, path }),
      },
      waitFor(spec, drive),
    ];
  }

  /** What was counted is told by the history; only errors from now on are left. */
  const clearErrors = (spec: PoolSpec): Step[] => [
    {
      name: 'forget-errors',
      title: 'Forget the errors that were counted before',
      run: call.clearErrors(poolOf(spec)),
      undo: 'nothing',
      look: lookOf('trusted', { pool: poolOf(spec), paths: null }),
    },
  ];
  const startScrub = (spec: PoolSpec): Step[] => [
    ...clearErrors(spec),
    {
      name: 'start-scrub',
      title: 'Begin to read everything and mend what is damaged',
      run: call.startScrub(poolOf(spec)),
      undo: 'nothing',
      look: { ...lookOf('scrubbing', { pool: poolOf(spec) }), fleeting: true },
    },
  ];
  const stopScrub = (spec: PoolSpec): Step[] => [
    {
      name: 'stop-scrub',
      title: 'Stop the scrub',
      run: { ...call.stopScrub(poolOf(spec)), okExitCodes: [0, 1] },
      undo: 'nothing',
      look: sdk.not(lookOf('scrubbing', { pool: poolOf(spec) })),
    },
  ];

  return { expand, replace, addDrive, removeDrive, reAdd, startScrub, stopScrub, clearErrors };
}

const doing = (reading: PoolReading | null, kinds: string[]): boolean =>
  (reading?.work ?? []).some((work) => kinds.includes(work.kind));

/** Why a verb does not fit now; what one certain drive cannot do, its plan says. */
export function refusal(verb: ChangeVerb, spec: PoolSpec, reading: PoolReading | null): string | null {
  if (reading?.poolStatus === 'failed' && verb !== 're-add')
    return 'The pool is suspended: too many of its drives are gone.';
  if (reading && (reading.poolStatus === 'inactive' || reading.poolStatus === 'missing'))
    return 'The pool is not imported: mount it first.';
  const changesMembers = ['expand', 'replace', 'remove-drive', 'add-drive'].includes(verb);
  if (reading && !reading.mounted && changesMembers)
    return 'The pool is not mounted; who belongs to it is written into it too.';
  const others = spec.drives.some((drive) => roleOf(drive) !== 'data');
  switch (verb) {
    case 'replace':
      return null;
    case 'remove-drive':
      return spec.layout.startsWith('raidz') && !others
        ? 'ZFS cannot take a drive out of a raidz; replace it instead.'
        : null;
    case 'start-scrub':
      if (doing(reading, ['rebuild'])) return 'The pool is being rebuilt; a scrub can begin after that.';
      return doing(reading, ['scrub']) ? 'A scrub is going on already.' : null;
    case 'stop-scrub':
      return doing(reading, ['scrub']) ? null : 'No scrub is going on.';
    default:
      return null;
  }
}
