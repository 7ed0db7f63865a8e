/**
 * Going back to the version before, because somebody wants to. The link and the database are changed by before-start.sh, when nothing has
 * the database open. Where the earlier version knows every migration of the database, that stays as it is; else the one that was saved
 * before the update takes its place, and the operation that made the update ends in it, as one that was gone back from.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { looks, type Step } from '$lib/plugin-api/plan';
import { readMigrations } from '../db/migrate';
import { AppError } from '../errors';
import type { Prepared } from '../operations/types';
import { UPDATE_LOCK } from './apply';
import { compareVersions } from './manifest';
import { backText, type SavedDatabase, type Trial, type UpdateFiles, type VersionPlace } from './place';

export const ROLL_BACK = 'update.rollback';

interface RollBackDeps {
  version: string;
  files: UpdateFiles;
  place: VersionPlace;
}

/** Whether the earlier version can go on with the database as it is. */
function knowsDatabase(place: VersionPlace, earlier: string): boolean {
  const of = (folder: string): number[] => readMigrations(join(folder, 'drizzle')).map(({ when }) => when);
  const known = new Set(of(place.folderOf(earlier)));
  return of(place.running).every((when) => known.has(when));
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
};

function mark(name: string, title: string, path: string, content: string): Step {
  return {
    ...{ name, title },
    run: { do: 'write-file', path, content, mode: 0o600 },
    undo: [{ do: 'remove-file', path }],
    look: looks.file(path, content, textOf(path)),
  };
}

function lossOf(saved: SavedDatabase): string {
  const when = new Date(statSync(saved.path).mtimeMs).toISOString().slice(0, 16).replace('T', ' ');
  return `What Cairn was told since ${when} UTC: its records of pools, machines, users and settings become those of then. Pools and machines themselves stay as they are, and can be found and adopted.`;
}

/** @throws AppError update_no_way_back */
export function planRollBack({ version, files, place }: RollBackDeps): Prepared {
  const earlier = place.versions().findLast((one) => compareVersions(one, version) < 0);
  if (earlier === undefined) throw new AppError('update_no_way_back');
  const keeps = knowsDatabase(place, earlier);
  const saved = keeps ? undefined : files.saved().find((one) => one.version === earlier);
  if (!keeps && !saved)
    throw new AppError(
      'update_no_way_back',
      `Version ${earlier} does not know the database of version ${version}, and no earlier one was saved.`,
    );
  // Of the update that is gone back from, so that its own operation finds it; else one that no saved database has.
  const trial: Trial = { id: saved?.id ?? randomBytes(4).toString('hex'), from: earlier, to: version };
  const content = backText(trial);
  return {
    input: { ...trial },
    title: `Go back from Cairn ${version} to ${earlier}`,
    subject: { type: 'host', id: UPDATE_LOCK, label: 'Cairn' },
    steps: [
      {
        name: 'be-alone',
        title: 'Wait until nothing else runs, and let nothing else begin',
        run: { do: 'be-alone' },
        undo: 'nothing',
        look: looks.alone(UPDATE_LOCK),
      },
      mark('mark-version', `Have version ${version} taken out of use`, files.failedPath, content),
      mark('order-way-back', `Have version ${earlier} put in its place`, files.trialPath, content),
      {
        name: 'start-anew',
        title: `Start Cairn anew, as version ${earlier}`,
        run: { do: 'start-anew' },
        undo: 'nothing',
        look: looks.runsFrom(place.folderOf(earlier)),
      },
    ],
    locks: [UPDATE_LOCK],
    ...{ drives: [], erases: [], loses: saved ? [lossOf(saved)] : [] },
    confirmText: saved ? earlier : null,
    notes: [
      'Pools stay mounted and machines go on running. Pages cannot be used for some seconds while Cairn starts.',
      saved
        ? `The database of version ${version} is kept beside the other.`
        : 'The database stays as it is: the earlier version knows it.',
    ],
  };
}
