/** Where versions lie, as install.sh lays them out: `<home>/versions/<version>`, of which `<home>/current` leads to the one that runs. */
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../errors';
import { compareVersions } from './manifest';

const VERSION = /^\d{1,6}\.\d{1,6}\.\d{1,6}$/;
const LEFT = /^left-[0-9a-f]{8}\.db(-wal)?$/;
const SAVED = /^(\d{1,6}\.\d{1,6}\.\d{1,6})-([0-9a-f]{8})\.db$/;

export interface VersionPlace {
  home: string;
  /** Folder of the version that runs. */
  running: string;
  current: string;
  folderOf(version: string): string;
  /** What `current` says when it leads there. */
  targetOf(version: string): string;
  /** All that lie there, the oldest first. */
  versions(): string[];
}

const unlessMissing = (error: unknown): void => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
};

/**
 * @param running the folder that this process runs from
 * @throws AppError update_not_installed
 */
export function findPlace(running: string, version: string): VersionPlace {
  const folder = dirname(running);
  const home = dirname(folder);
  const current = join(home, 'current');
  const targetOf = (one: string): string => `versions/${one}`;
  let target: string | null = null;
  try {
    target = readlinkSync(current);
  } catch {
    // No link there: this is no installation.
  }
  if (basename(folder) !== 'versions' || basename(running) !== version || target === null)
    throw new AppError('update_not_installed', `Version ${version} runs from ${running}.`);
  return {
    ...{ home, running, current, targetOf },
    folderOf: (one) => join(folder, one),
    versions: () =>
      readdirSync(folder)
        .filter((name) => VERSION.test(name))
        .sort(compareVersions),
  };
}

/** What names a trial, for before-start.sh and people. */
export interface Trial {
  id: string;
  from: string;
  to: string;
}
export const trialText = ({ id, from, to }: Trial): string => `${id} ${from} ${to}\n`;

/** The same, when a person goes back: before-start.sh does at once what it does for a version that does not start. */
export const backText = (trial: Trial): string => `${trialText(trial)}by hand\n`;

export interface SavedDatabase {
  version: string;
  id: string;
  path: string;
}

/** Files in the data directory: databases saved before an update, and the trial that is on. */
export function updateFiles(folder: string) {
  const trialPath = join(folder, 'trial');
  const startsPath = join(folder, 'starts');
  return {
    folder,
    trialPath,
    failedPath: join(folder, 'failed'),
    archivePath: (name: string): string => join(folder, name),
    savedPath: ({ id, from }: Pick<Trial, 'id' | 'from'>): string => join(folder, `${from}-${id}.db`),
    saved(): SavedDatabase[] {
      return readdirSync(folder).flatMap((name) => {
        const [, version = '', id = ''] = SAVED.exec(name) ?? [];
        return id === '' ? [] : [{ version, id, path: join(folder, name) }];
      });
    },
    /** Databases of versions that others came back from. */
    left: (): string[] => readdirSync(folder).filter((name) => LEFT.test(name)),
    trial(): Trial | null {
      try {
        const [id = '', from = '', to = ''] = readFileSync(trialPath, 'utf8').trim().split(' ');
        return { id, from, to };
      } catch (error) {
        unlessMissing(error);
        return null;
      }
    },
    /** The version on trial is good. */
    endTrial(): void {
      rmSync(trialPath, { force: true });
      rmSync(startsPath, { force: true });
    },
  };
}
export type UpdateFiles = ReturnType<typeof updateFiles>;
