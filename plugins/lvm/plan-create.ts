/** From drives to a mounted pool and back. Pure. */
import type { Argument, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PeekPlan, PoolSpec } from '../../src/lib/plugin-api/storage';
import { divide, EXTENT_BYTES, overcommitOf } from './capacity';
import { FILESYSTEMS } from './filesystems';
import { lvm } from './lvm';
import {
  bySlot,
  FILESYSTEM_TAG,
  filesystemOf,
  GUID_TAG,
  LAYOUT_TAG,
  layoutOf,
  mappedOf,
  namesOf,
  presentOf,
} from './names';
import { pathIn, partsFor, poolLook, refsOf, removeDevices } from './parts';

/** Segment type of the volume, as lvs tells it. */
const SEGMENT_TYPES = { linear: 'linear', mirror: 'raid1', raid5: 'raid5', thin: 'thin' } as const;
/** LVM clears the places of the sync marks one after the other, each with a flush. */
const CREATE_TIMEOUT_MS = 10 * 60_000;

function typeArguments(spec: PoolSpec): string[] {
  switch (layoutOf(spec)) {
    case 'mirror':
      return ['--type', 'raid1', '--mirrors', String(spec.drives.length - 1)];
    case 'raid5':
      return ['--type', 'raid5', '--stripes', String(spec.drives.length - 1)];
    default:
      return ['--type', 'linear'];
  }
}

export const divisionOf = (spec: PoolSpec, drives = spec.drives) =>
  divide(
    layoutOf(spec),
    drives.map((drive) => drive.sizeBytes),
    overcommitOf(spec.options),
  );

export function createPlans(sdk: PluginSdk) {
  const parts = partsFor(sdk);

  /** No system activates it by itself: Cairn does when it mounts it, with what is there. */
  const makeGroup = (spec: PoolSpec): Step => {
    const { group } = namesOf(spec);
    const tags = [
      `${GUID_TAG}${spec.guid}`,
      `${LAYOUT_TAG}${spec.layout}`,
      `${FILESYSTEM_TAG}${filesystemOf(spec)}`,
    ];
    return {
      name: 'make-volume-group',
      title: `Make the volume group ${group}`,
      run: lvm({
        verb: 'vgcreate',
        drives: refsOf(spec),
        argv: [
          ...['--physicalextentsize', `${EXTENT_BYTES}b`, '--setautoactivation', 'n'],
          ...tags.flatMap((tag) => ['--addtag', tag]),
          group,
          ...refsOf(spec),
        ],
      }),
      // It is nothing but what its physical volumes know.
      undo: 'nothing',
      look: poolLook(spec, 'members', {
        physical: bySlot(spec.drives).map((drive) => parts.physicalOf(spec, drive)),
      }),
    };
  };

  const makeVolume = (
    spec: PoolSpec,
    argv: Argument[],
    what: { name: string; title: string; volume: string },
  ): Step => ({
    name: what.name,
    title: what.title,
    run: lvm({
      verb: 'lvcreate',
      drives: refsOf(spec),
      argv: ['--name', what.volume, ...argv],
      timeoutMs: CREATE_TIMEOUT_MS,
    }),
    undo: [
      lvm({ verb: 'lvremove', drives: refsOf(spec), argv: ['--force', namesOf(spec).group] }),
      removeDevices(spec),
    ],
    look: poolLook(spec, 'volume', { volume: namesOf(spec).volume, type: '', mapped: mappedOf(spec).mapped }),
  });

  function plainVolume(spec: PoolSpec): Step[] {
    const layout = layoutOf(spec);
    const { group, volume } = namesOf(spec);
    const argv = [
      ...['--wipesignatures', 'y', '--zero', 'y', ...typeArguments(spec)],
      ...['--extents', String(divisionOf(spec).extents), group],
    ];
    const step = makeVolume(spec, argv, {
      name: 'make-volume',
      title: `Make the volume (${SEGMENT_TYPES[layout]})`,
      volume,
    });
    return [{ ...step, look: { ...step.look, args: { ...step.look.args, type: SEGMENT_TYPES[layout] } } }];
  }

  function thinVolume(spec: PoolSpec, thinPool: string): Step[] {
    const { extents, metadataExtents, virtualExtents, chunkBytes } = divisionOf(spec);
    const { group, volume } = namesOf(spec);
    const pool = makeVolume(
      spec,
      [
        ...['--type', 'thin-pool', '--extents', String(extents)],
        ...['--poolmetadatasize', `${metadataExtents * EXTENT_BYTES}b`, '--chunksize', `${chunkBytes}b`],
        ...['--zero', 'y', group],
      ],
      { name: 'make-thin-pool', title: 'Make the thin pool', volume: thinPool },
    );
    return [
      {
        ...pool,
        look: poolLook(spec, 'volume', { volume: thinPool, type: 'thin-pool', mapped: null }),
      },
      {
        name: 'make-volume',
        title: 'Make the thin volume',
        run: lvm({
          verb: 'lvcreate',
          drives: refsOf(spec),
          argv: [
            ...['--type', 'thin', '--name', volume, '--virtualsize', `${virtualExtents * EXTENT_BYTES}b`],
            ...['--thinpool', thinPool, group],
          ],
        }),
        undo: [
          lvm({ verb: 'lvremove', drives: refsOf(spec), argv: ['--force', pathIn(spec)] }),
          removeDevices(spec),
        ],
        look: poolLook(spec, 'exists', { volume }),
      },
    ];
  }

  function create(spec: PoolSpec): Step[] {
    const type = filesystemOf(spec);
    const filesystem = FILESYSTEMS[type];
    const { thinPool } = namesOf(spec);
    const drives = bySlot(spec.drives);
    const at = mappedOf(spec);
    const label = sdk.filesystemLabel(spec.label, filesystem.labelMaxLength);
    return [
      ...drives.flatMap((drive) => sdk.wipeDrive(drive)),
      ...drives.map((drive) => parts.makePhysical(spec, drive)),
      makeGroup(spec),
      ...(thinPool === null ? plainVolume(spec) : thinVolume(spec, thinPool)),
      sdk.makeFilesystem({
        title: `Make an ${filesystem.title} filesystem`,
        run: filesystem.make({ at, uuid: spec.guid, label }),
        at: [at],
        look: sdk.looks.filesystem(at, type, spec.guid),
      }),
      ...sdk.makeMountPoint(spec),
      sdk.mountFilesystem(spec, parts.mountedAs(spec)),
      ...sdk.writeIdentity('lvm', spec),
    ];
  }

  /** The filesystem goes first where the volume runs, so that no partition made later shows it again. */
  const destroy = (spec: PoolSpec): Step[] => [
    sdk.unmountFilesystem(spec, parts.mountedAs(spec)),
    ...sdk.removeMountPoint(spec),
    sdk.wipeFilesystem({
      title: `Erase the ${FILESYSTEMS[filesystemOf(spec)].title} filesystem`,
      at: mappedOf(spec),
      type: filesystemOf(spec),
      uuid: spec.guid,
    }),
    parts.deactivate(spec),
    ...presentOf(spec).map((drive) => parts.erasePhysical(spec, drive)),
  ];

  const mount = (spec: PoolSpec): Step[] => [
    parts.activate(spec),
    ...sdk.makeMountPoint(spec),
    sdk.mountFilesystem(spec, parts.mountedAs(spec)),
  ];

  /** The folder stays: it is the pool's, and someone may have put a file into it meanwhile. */
  const unmount = (spec: PoolSpec): Step[] => [
    sdk.unmountFilesystem(spec, parts.mountedAs(spec)),
    parts.deactivate(spec),
  ];

  function rename(spec: PoolSpec, newLabel: string): Step[] {
    const type = filesystemOf(spec);
    const filesystem = FILESYSTEMS[type];
    const place = { at: mappedOf(spec), mountPath: spec.mountPath };
    const label = sdk.filesystemLabel(newLabel, filesystem.labelMaxLength);
    const before = sdk.filesystemLabel(spec.label, filesystem.labelMaxLength);
    const setLabel: Step = {
      name: 'set-filesystem-label',
      title: `Set the filesystem's label to ${label}`,
      run: filesystem.setLabel({ ...place, label }),
      undo: [filesystem.setLabel({ ...place, label: before })],
      look: {
        look: 'lvm/label',
        args: { mapped: mappedOf(spec).mapped, mountPath: spec.mountPath, uuid: spec.guid, label },
      },
    };
    return [...(label === before ? [] : [setLabel]), sdk.rewriteIdentity('lvm', spec, newLabel)];
  }

  /** One that runs stays running; a linear one is started for it, which writes nothing to its drives, and stopped again. */
  function peek(spec: PoolSpec): PeekPlan {
    const { source, filesystem } = parts.mountedAs(spec);
    const plan = sdk.mountReadOnly(spec, { source, filesystem });
    if (spec.facts?.running === true) return plan;
    if (layoutOf(spec) !== 'linear')
      throw new TypeError('To start a volume that is not linear would write to its drives.');
    return {
      open: [parts.activate(spec), ...plan.open],
      close: [...plan.close, { ...parts.deactivate(spec), undo: 'nothing' }],
    };
  }

  return { create, destroy, mount, unmount, rename, release: unmount, peek };
}
