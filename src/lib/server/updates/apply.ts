/**
 * Putting a newer version in the place of the one that runs. It is got, unpacked and tried while everything goes on; then it is alone
 * (operations/alone.ts), saves the database, and only moves a link. The operation ends in the new version, or, when that does not
 * become ready, in the old one, whose database is put back as it was in the middle of this very plan: it finds the trial failed, and ends.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { looks, not, type Checksum, type Step } from '$lib/plugin-api/plan';
import type { ApplyUpdateRequest } from '$lib/shared/wire/update-requests';
import type { OfferedFile, OfferedUpdate } from '$lib/shared/wire/updates';
import { AppError } from '../errors';
import { PROGRAMS } from '../host/programs';
import type { Prepared } from '../operations/types';
import { requireChannel } from './channel';
import { trialText, type Trial, type UpdateFiles, type VersionPlace } from './place';

export const APPLY = 'update.apply';
export const UPDATE_LOCK = 'update';
const PATIENCE_MS = 10 * 60_000;
const TRY_MS = 60_000;

interface ApplyDeps {
  version: string;
  channel: string;
  files: UpdateFiles;
  place: VersionPlace;
  offered: OfferedUpdate;
  file: OfferedFile;
  /** What it has to wait for. */
  waitsFor: string[];
}

/** By address or from a folder, with the checksum that was signed. */
function get({ channel, files }: ApplyDeps, { name, sizeBytes, sha256 }: OfferedFile): Step {
  const from = requireChannel(channel);
  const path = files.archivePath(name);
  const checksum: Checksum = { algorithm: 'sha256', hex: sha256 };
  const into = { path, mode: 0o600, sizeBytes, checksum };
  return {
    name: 'get',
    title: 'Get the archive, and compare it with what was signed',
    run:
      'folder' in from
        ? { do: 'copy-in', from: join(from.folder, name), ...into }
        : {
            ...{ do: 'download', url: new URL(name, from.url).href, ...into },
            ...{ maxBytes: sizeBytes, allowPrivate: true, patienceMs: PATIENCE_MS },
          },
    undo: [{ do: 'remove-download', path }],
    look: looks.downloaded(path, sizeBytes, checksum),
  };
}

/** Beside the version that runs, and tried without touching anything of it. */
function prepareSteps(deps: ApplyDeps, { id, to }: Trial): Step[] {
  const { place, files, file } = deps;
  const archive = files.archivePath(file.name);
  const path = place.folderOf(to);
  const [note, text] = [join(path, '.tried'), `${to} ${id}\n`];
  const node = join(path, 'node_modules/.bin/node');
  return [
    get(deps, file),
    {
      name: 'unpack',
      title: `Unpack version ${to} beside the one that runs`,
      run: { do: 'unpack-release', archive, sha256: file.sha256, top: `cairn-${to}`, path },
      undo: [{ do: 'remove-release', path }],
      look: looks.release(path, file.sha256),
    },
    {
      name: 'forget-archive',
      title: 'Remove the archive',
      run: { do: 'remove-download', path: archive },
      undo: 'nothing',
      look: not(looks.fileThere(archive)),
    },
    {
      name: 'try',
      title: `Look whether version ${to} can run on this host`,
      run: {
        ...{ do: 'exec', program: PROGRAMS.setpriv, timeoutMs: TRY_MS },
        argv: ['--no-new-privs', '--', node, join(path, 'src/check.mjs'), place.running, note, text],
      },
      undo: [{ do: 'remove-file', path: note }],
      look: looks.file(note, text),
    },
  ];
}

/** Two versions stay: the one that runs, as the way back, and the one that is installed. */
function forgetSteps({ place, files, version }: ApplyDeps, to: string): Step[] {
  const old = place.versions().filter((one) => one !== version && one !== to);
  return [
    ...old.map((one): Step => ({
      name: `forget-${one.replaceAll('.', '-')}`,
      title: `Remove version ${one}`,
      run: { do: 'remove-release', path: place.folderOf(one) },
      undo: 'nothing',
      look: not(looks.directory(place.folderOf(one))),
    })),
    ...files.saved().map(({ version: of, id, path }): Step => ({
      name: `forget-database-${id}`,
      title: `Remove the database that was saved with version ${of}`,
      run: { do: 'remove-file', path },
      undo: 'nothing',
      look: not(looks.fileThere(path)),
    })),
    ...files.left().map((name): Step => {
      const path = join(files.folder, name);
      return {
        name: `forget-${name.replaceAll('.', '-')}`,
        title: 'Remove the database of a version that was gone back from',
        run: { do: 'remove-file', path },
        undo: 'nothing',
        look: not(looks.fileThere(path)),
      };
    }),
  ];
}

function switchSteps({ place, files }: ApplyDeps, trial: Trial): Step[] {
  const saved = files.savedPath(trial);
  const content = trialText(trial);
  const [target, before] = [place.targetOf(trial.to), place.targetOf(trial.from)];
  return [
    {
      name: 'be-alone',
      title: 'Wait until nothing else runs, and let nothing else begin',
      run: { do: 'be-alone' },
      undo: 'nothing',
      look: looks.alone(UPDATE_LOCK),
    },
    {
      name: 'save-database',
      title: `Save the database, as the way back to version ${trial.from}`,
      run: { do: 'save-database', path: saved },
      undo: [{ do: 'remove-file', path: saved }],
      look: looks.fileThere(saved),
    },
    {
      name: 'begin-trial',
      title: `Put version ${trial.to} on trial: unless it becomes ready, version ${trial.from} comes back`,
      run: { do: 'write-file', path: files.trialPath, content, mode: 0o600 },
      undo: [{ do: 'remove-file', path: files.trialPath }],
      look: { look: 'trial', args: { path: files.trialPath, content, failedPath: files.failedPath } },
    },
    {
      name: 'switch',
      title: `Have version ${trial.to} start from now on`,
      run: { do: 'point-link', path: place.current, target },
      undo: [{ do: 'point-link', path: place.current, target: before }],
      look: looks.link(place.current, target, before),
    },
    {
      name: 'start-anew',
      title: `Start Cairn anew, as version ${trial.to}`,
      run: { do: 'start-anew' },
      undo: 'nothing',
      look: looks.runsFrom(place.folderOf(trial.to)),
    },
  ];
}

/** The plan. Pure, but for the number of the trial and for what lies there. */
export function planApply(deps: ApplyDeps): Prepared {
  const { version, offered, place, waitsFor } = deps;
  const trial: Trial = { id: randomBytes(4).toString('hex'), from: version, to: offered.version };
  return {
    input: { ...trial },
    title: `Update Cairn ${version} to ${offered.version}`,
    subject: { type: 'host', id: UPDATE_LOCK, label: 'Cairn' },
    steps: [...prepareSteps(deps, trial), ...forgetSteps(deps, offered.version), ...switchSteps(deps, trial)],
    locks: [UPDATE_LOCK],
    ...{ drives: [], erases: [], confirmText: null },
    notes: [
      ...(waitsFor.length > 0
        ? [`It is got now, and taken in use after the end of: ${waitsFor.join(', ')}.`]
        : []),
      'Pools stay mounted and machines go on running. Pages cannot be used for some seconds while Cairn starts.',
      `Version ${version} stays in ${place.folderOf(version)}, with its database.`,
    ],
  };
}

/** @throws AppError update_changed when something else is offered than what was shown */
export function requireShown({ version }: ApplyUpdateRequest, offered: OfferedUpdate): void {
  if (version !== offered.version)
    throw new AppError(
      'update_changed',
      `Version ${version} was asked for; the channel offers ${offered.version}.`,
    );
}
