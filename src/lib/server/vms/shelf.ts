/** Where the files of a removed machine lie, and the steps that take them there and back. Pure, but for sizes. */
import { posix } from 'node:path';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import { disksOf, type VmPlugin, type VmSpec } from '$lib/plugin-api/vm';
import { formatBytes } from '$lib/shared/units';
import { namesIn, takenBytes } from './place';

/** Beside the folders of machines: no name of a machine begins like this. */
const SHELF = '.removed';
/** Tells a person with a shell what the files are. */
const NOTE = 'machine.json';

export const shelfOf = ({ id, folder }: Pick<VmSpec, 'id' | 'folder'>): string =>
  posix.join(posix.dirname(folder), SHELF, id);

/** The same machine with its files in another folder. */
export function movedTo(spec: VmSpec, folder: string): VmSpec {
  const moved = (path: string): string =>
    path.startsWith(`${spec.folder}/`) ? posix.join(folder, posix.relative(spec.folder, path)) : path;
  return {
    ...spec,
    ...{ folder, diskPath: moved(spec.diskPath) },
    seedPath: spec.seedPath === null ? null : moved(spec.seedPath),
    ...(spec.firmware ? { firmware: { ...spec.firmware, nvramPath: moved(spec.firmware.nvramPath) } } : {}),
    ...(spec.moreDisks
      ? { moreDisks: spec.moreDisks.map((disk) => ({ ...disk, path: moved(disk.path) })) }
      : {}),
  };
}

interface Shelved {
  spec: VmSpec;
  facts: unknown;
}
const noteOf = ({ spec, facts }: Shelved): { path: string; content: string; mode: number } => ({
  path: posix.join(spec.folder, NOTE),
  content: `${JSON.stringify({ machine: spec, engine: facts }, null, 2)}\n`,
  mode: 0o600,
});
export const notePath = (folder: string): string => posix.join(folder, NOTE);

/** Its engine forgets it in between. */
export function shelveSteps(shelved: Shelved, forget: Step[]): Step[] {
  const { spec } = shelved;
  const shelf = shelfOf(spec);
  const note = noteOf(shelved);
  return [
    {
      name: 'write-note',
      title: 'Write down what it is, beside its disks',
      run: { do: 'write-file', ...note },
      undo: [{ do: 'remove-file', path: note.path }],
      look: looks.file(note.path, note.content),
    },
    {
      name: 'make-shelf',
      title: 'Make the folder for machines that were removed',
      run: { do: 'make-directory', path: posix.dirname(shelf), mode: 0o711 },
      // Others may be in it by now; an empty folder does no harm.
      undo: 'nothing',
      look: looks.directory(posix.dirname(shelf)),
    },
    ...forget,
    {
      name: 'move-files',
      title: 'Move its folder there',
      run: { do: 'move-directory', from: spec.folder, path: shelf },
      undo: [{ do: 'move-directory', from: shelf, path: spec.folder }],
      look: looks.directory(shelf),
    },
  ];
}

export function unshelveSteps(shelved: Shelved, recall: Step[]): Step[] {
  const { spec } = shelved;
  const shelf = shelfOf(spec);
  const note = noteOf(shelved);
  return [
    {
      name: 'move-files',
      title: 'Move its folder back',
      run: { do: 'move-directory', from: shelf, path: spec.folder },
      undo: [{ do: 'move-directory', from: spec.folder, path: shelf }],
      // An empty folder in its place is not it.
      look: not(looks.directory(shelf)),
    },
    ...recall,
    {
      name: 'remove-note',
      title: 'Remove the note beside its disks',
      run: { do: 'remove-file', path: note.path },
      undo: [{ do: 'write-file', ...note }],
      look: not(looks.fileThere(note.path)),
    },
  ];
}

/** Files that a machine's plan of going for good deletes. */
export const filesOf = (plugin: VmPlugin, spec: VmSpec): string[] => {
  const states = plugin.firmware?.statesFolder(spec) ?? null;
  return [
    ...plugin
      .destroy(spec, { keepFolder: false })
      .flatMap(({ run }) => (run.do === 'remove-file' ? [run.path] : [])),
    ...(states === null ? [] : [states]),
  ];
};

/** What is in its folder and is not its own. */
export async function strangersIn(folder: string, own: string[]): Promise<string[]> {
  const names = (await namesIn(folder)) ?? [];
  return names.map((name) => posix.join(folder, name)).filter((path) => !own.includes(path));
}

/** A line each, of files that are there; disks with what they hold. None: its folder is gone. */
export async function lossesOf(files: string[], spec: VmSpec): Promise<string[]> {
  const disks = new Map(disksOf(spec).map((disk) => [disk.path, disk.sizeBytes]));
  const found = await Promise.all(files.map(async (path) => ({ path, taken: await takenBytes({ path }) })));
  const losses = found.flatMap(({ path, taken }) => {
    if (taken === null) return [];
    const size = disks.get(path);
    const disk = size === undefined ? '' : `, a disk of ${formatBytes(size)}`;
    return [`${path}${disk} (${formatBytes(taken)} on the pool)`];
  });
  if (losses.length > 0 || (await namesIn(spec.folder)) === null) return losses;
  return [`What is left of "${spec.name}" in ${spec.folder}`];
}

export async function totalTaken(files: string[]): Promise<number> {
  const sizes = await Promise.all(files.map((path) => takenBytes({ path })));
  return sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
}
