/** Snapshots of a btrfs pool. Pure. See subvolumes.ts for what is where. */
import type { JsonObject, Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolSpec } from '../../src/lib/plugin-api/storage';
import type { MountedFilesystem } from '../../src/lib/plugin-api/steps';
import {
  chooseDefault,
  copySnapshot,
  DATA,
  deleteSubvolume,
  lookAt,
  makeSubvolume,
  setReadOnly,
  SNAPSHOTS,
  takeSnapshot,
  TOP_LEVEL_ID,
} from './subvolumes';

/** A name is one component of a path, and never hidden. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.:-]*$/;
function checked(name: string): string {
  if (NAME.test(name)) return name;
  throw new TypeError(`A snapshot cannot be called ${JSON.stringify(name)}.`);
}
const NEXT = 'next';

type FilesystemOf = (spec: PoolSpec) => MountedFilesystem;

const topLevelLook = (spec: PoolSpec): Look => ({ ...lookAt(spec, 'top-level'), untilReboot: true });
/** For steps between the opening and the closing of the top level: elsewhere their paths would mean something else. */
const lookInTop = (spec: PoolSpec, name: string, args: JsonObject): Look =>
  lookAt(spec, name, { ...args, topLevel: true });

/** The top level at the pool's own path, while its data is not mounted. */
export function topLevelSteps(sdk: PluginSdk, filesystemOf: FilesystemOf) {
  const mountTop = (spec: PoolSpec) => {
    const what = filesystemOf(spec);
    return sdk.mountAction(spec, {
      ...what,
      options: [...(what.options ?? []), `subvolid=${TOP_LEVEL_ID}`],
    });
  };
  const open = (spec: PoolSpec): Step => ({
    name: 'open-top-level',
    title: 'Mount the top level of the filesystem',
    run: mountTop(spec),
    undo: [{ do: 'unmount', path: spec.mountPath }],
    look: topLevelLook(spec),
  });
  const close = (spec: PoolSpec): Step => ({
    name: 'close-top-level',
    title: 'Unmount the top level',
    run: { do: 'unmount', path: spec.mountPath },
    undo: [mountTop(spec)],
    look: sdk.not(topLevelLook(spec)),
  });
  return { open, close };
}

/** A new pool has its files in a subvolume from the start. Taking back the filesystem takes that back. */
export function dataSteps(sdk: PluginSdk, filesystemOf: FilesystemOf, spec: PoolSpec): Step[] {
  const top = topLevelSteps(sdk, filesystemOf);
  const path = `${spec.mountPath}/${DATA}`;
  return [
    top.open(spec),
    {
      name: 'make-data-subvolume',
      title: 'Make the subvolume that holds the files',
      run: makeSubvolume(path),
      undo: 'nothing',
      look: lookInTop(spec, 'subvolume', { path: DATA }),
    },
    {
      name: 'choose-data-subvolume',
      title: 'Make it what is mounted, on every machine',
      run: chooseDefault(path),
      undo: 'nothing',
      look: lookInTop(spec, 'chosen', { path: DATA }),
    },
    { ...top.close(spec), undo: 'nothing' },
  ];
}

export function snapshotPlans(sdk: PluginSdk, id: string, filesystemOf: FilesystemOf) {
  const top = topLevelSteps(sdk, filesystemOf);
  const inside = (spec: PoolSpec, ...parts: string[]): string => [spec.mountPath, ...parts].join('/');

  function create(spec: PoolSpec, { name }: { name: string }): Step[] {
    const path = `${SNAPSHOTS}/${checked(name)}`;
    return [
      {
        name: 'make-snapshots-subvolume',
        title: `Make the place for snapshots, ${inside(spec, SNAPSHOTS)}`,
        run: makeSubvolume(inside(spec, SNAPSHOTS)),
        // Stays: another snapshot may be in it by then, and empty it costs nothing.
        undo: 'nothing',
        look: lookAt(spec, 'subvolume', { path: SNAPSHOTS, overStub: true }),
      },
      {
        name: 'take-snapshot',
        title: `Take the snapshot ${name}`,
        run: takeSnapshot(spec.mountPath, inside(spec, path)),
        undo: [deleteSubvolume(inside(spec, path))],
        look: lookAt(spec, 'subvolume', { path }),
      },
    ];
  }

  const destroy = (spec: PoolSpec, { name }: { name: string }): Step[] => {
    const path = `${SNAPSHOTS}/${checked(name)}`;
    return [
      {
        name: 'remove-snapshot',
        title: `Remove the snapshot ${name}`,
        run: deleteSubvolume(inside(spec, path)),
        undo: 'impossible',
        look: sdk.not(lookAt(spec, 'subvolume', { path })),
      },
    ];
  };

  /**
   * A writable copy of the snapshot takes the place of the data subvolume, which becomes a snapshot itself: nothing is
   * copied and nothing can be lost on the way. What is mounted by default changes last, so that whoever mounts the pool
   * after a power cut in between finds what was there before.
   */
  function rollBack(spec: PoolSpec, { name, keepAs }: { name: string; keepAs: string }): Step[] {
    const at = (...parts: string[]): string => inside(spec, ...parts);
    const source = at(DATA, SNAPSHOTS, checked(name));
    const kept = at(DATA, SNAPSHOTS, checked(keepAs));
    const move = (step: string, title: string, from: string, to: string, more = {}): Step => ({
      name: step,
      title,
      run: { do: 'move-directory', from: at(from), path: at(to) },
      undo: [{ do: 'move-directory', from: at(to), path: at(from) }],
      look: lookInTop(spec, 'subvolume', { path: to, ...more }),
    });
    return [
      sdk.unmountFilesystem(spec, filesystemOf(spec)),
      top.open(spec),
      {
        name: 'copy-snapshot',
        title: `Make a copy of the snapshot ${name} that can be written to`,
        run: copySnapshot(source, at(NEXT)),
        undo: [deleteSubvolume(at(NEXT))],
        look: lookInTop(spec, 'subvolume', { path: NEXT, copyOf: `${DATA}/${SNAPSHOTS}/${name}` }),
      },
      move(
        'hand-over-snapshots',
        'Move the snapshots into it',
        `${DATA}/${SNAPSHOTS}`,
        `${NEXT}/${SNAPSHOTS}`,
        {
          overStub: true,
        },
      ),
      move(
        'keep-state',
        `Keep what is there now as the snapshot ${keepAs}`,
        DATA,
        `${NEXT}/${SNAPSHOTS}/${keepAs}`,
      ),
      move('put-in-place', 'Put the copy in its place', NEXT, DATA),
      {
        name: 'protect-kept',
        title: 'Make what is kept read-only',
        run: setReadOnly(kept, true),
        undo: [setReadOnly(kept, false)],
        look: lookInTop(spec, 'subvolume', { path: `${DATA}/${SNAPSHOTS}/${keepAs}`, readOnly: true }),
      },
      {
        name: 'choose-copy',
        title: 'Make the copy what is mounted',
        run: chooseDefault(at(DATA)),
        undo: [chooseDefault(kept)],
        look: lookInTop(spec, 'chosen', { path: DATA }),
      },
      top.close(spec),
      sdk.mountFilesystem(spec, filesystemOf(spec)),
      ...sdk.refreshIdentity(id, spec),
    ];
  }

  return { create, destroy, rollBack };
}
