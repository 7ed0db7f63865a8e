/** Steps for pools that were found: looking inside with nothing written, and the identity file of an adopted one. Pure. */
import { identityFolder, identityPath, identityText } from './identity-file';
import { looks, not, type Step } from './plan';
import { mountAction, mountedLook, type MountedFilesystem } from './steps';
import type { PeekPlan, PoolSpec } from './storage';

/**
 * What a filesystem needs so that mounting it writes nothing: `ro` alone replays a journal.
 * Sources: ext4(5) noload, xfs(5) norecovery, btrfs(5) rescue=nologreplay (Linux 5.9 and later).
 */
const UNTOUCHED: Record<string, string[]> = {
  ext2: ['ro'],
  ext3: ['ro', 'noload'],
  ext4: ['ro', 'noload'],
  xfs: ['ro', 'norecovery'],
  btrfs: ['ro', 'rescue=nologreplay'],
  zfs: ['ro'],
  // Whatever it is: only from a device that is read-only itself.
  auto: ['ro'],
};

/**
 * Mounts a filesystem at the pool's mount path in a way that writes nothing to its drives, and takes it away again.
 * @throws TypeError for a filesystem of which it is not known how
 */
export function mountReadOnly(spec: PoolSpec, what: MountedFilesystem): PeekPlan {
  const untouched = UNTOUCHED[what.filesystem];
  if (!untouched) throw new TypeError(`how ${what.filesystem} is mounted without a write is not known`);
  const options = [...untouched, 'noexec', ...(what.options ?? [])];
  const look = mountedLook(spec, what);
  return {
    open: [
      {
        name: 'mount-read-only',
        title: 'Mount it read-only, with nothing written to its drives',
        run: mountAction(spec, { ...what, options }),
        undo: [{ do: 'unmount', path: spec.mountPath }],
        look,
      },
    ],
    close: [
      {
        name: 'unmount',
        title: 'Unmount it again',
        run: { do: 'unmount', path: spec.mountPath },
        // Taking back the mount does it, and nobody wants it mounted again for that.
        undo: 'nothing',
        look: not(look),
      },
    ],
  };
}

/**
 * Who the pool is, written into one that was not made with this record. What was there before comes back on the way back.
 * @param before the text of the identity file that is there; null: there is none
 * @param folderThere the folder of the identity file is there, so it stays
 */
export function adoptIdentity(
  pluginId: string,
  spec: PoolSpec,
  { before, folderThere }: { before: string | null; folderThere: boolean },
): Step[] {
  const path = identityPath(spec);
  const content = identityText(pluginId, spec);
  const folder: Step = {
    name: 'make-identity-folder',
    title: 'Make a small folder, .cairn, for the identity file',
    run: { do: 'make-directory', path: identityFolder(spec), mode: 0o700 },
    // What a write that was cut off left in it goes first.
    undo: [
      { do: 'remove-file', path: `${path}.cairn-new` },
      { do: 'remove-directory', path: identityFolder(spec) },
    ],
    look: looks.directory(identityFolder(spec)),
  };
  const write: Step = {
    name: 'write-identity',
    title: 'Write the identity file, which says what pool this is',
    run: { do: 'write-file', path, content, mode: 0o600 },
    undo: [
      before === null
        ? { do: 'remove-file', path }
        : { do: 'write-file', path, content: before, mode: 0o600 },
    ],
    look: before === null ? looks.file(path, content) : looks.file(path, content, before),
  };
  return [...(folderThere ? [] : [folder]), write];
}
