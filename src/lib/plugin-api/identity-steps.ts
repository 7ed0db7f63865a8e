/** Steps that write who the pool is into it. Pure. */
import { identityFolder, identityPath, identityText } from './identity-file';
import { looks, type Step } from './plan';
import type { PoolSpec } from './storage';

const makeFolder = (spec: PoolSpec): Step => ({
  name: 'make-identity-folder',
  title: 'Make the folder for the identity file',
  run: { do: 'make-directory', path: identityFolder(spec), mode: 0o700 },
  undo: 'nothing',
  look: looks.directory(identityFolder(spec)),
});

/** Who the pool is, written into it. No undo of its own: taking back the filesystem removes it. */
export function writeIdentity(pluginId: string, spec: PoolSpec): Step[] {
  const content = identityText(pluginId, spec);
  return [
    makeFolder(spec),
    {
      name: 'write-identity',
      title: 'Write the identity file',
      run: { do: 'write-file', path: identityPath(spec), content, mode: 0o600 },
      undo: 'nothing',
      look: looks.file(identityPath(spec), content),
    },
  ];
}

/** After a change of members: the same file with those of now; the way back writes who they were. */
export function updateIdentity(pluginId: string, before: PoolSpec, after: PoolSpec): Step[] {
  const path = identityPath(after);
  const content = identityText(pluginId, after);
  return [
    makeFolder(after),
    {
      name: 'update-identity',
      title: 'Write the members into the identity file',
      run: { do: 'write-file', path, content, mode: 0o600 },
      undo: [{ do: 'write-file', path, content: identityText(pluginId, before), mode: 0o600 }],
      look: looks.identity(path, content),
    },
  ];
}

/**
 * After a roll back: the file is as old as the snapshot, and is made to tell the label and the members of now. Nothing to
 * take back: the file goes with the state that is put aside again.
 */
export function refreshIdentity(pluginId: string, spec: PoolSpec): Step[] {
  const path = identityPath(spec);
  const content = identityText(pluginId, spec);
  return [
    makeFolder(spec),
    {
      name: 'refresh-identity',
      title: 'Write who the pool is now into the identity file',
      run: { do: 'write-file', path, content, mode: 0o600 },
      undo: 'nothing',
      look: looks.identity(path, content),
    },
  ];
}

/** For a rename: the same file with the new label; the way back writes the old one. */
export function rewriteIdentity(pluginId: string, spec: PoolSpec, newLabel: string): Step {
  const path = identityPath(spec);
  const before = identityText(pluginId, spec);
  const content = identityText(pluginId, { ...spec, label: newLabel });
  return {
    name: 'rewrite-identity',
    title: 'Write the new label into the identity file',
    run: { do: 'write-file', path, content, mode: 0o600 },
    undo: [{ do: 'write-file', path, content: before, mode: 0o600 }],
    look: looks.file(path, content, before),
  };
}
