/**
 * Plugins from others, as they lie below the data directory. Files are the record, so that they can be read before anything else
 * works: `<id>/in-use.json` says what was trusted (written by the operation that installs it), `.states/<id>.json` whether it is
 * loaded and how many starts ended with it. A start is put down before the plugin's code runs and taken back once the
 * process is healthy: whatever ends the process in between has been counted. `.states/acting` names the one whose code is being
 * waited for; where the process ended then, it was that one, and the start is not counted for the others.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { InstalledState, InstalledView } from '$lib/shared/wire/plugins';
import { readTree, treeDigest } from '../host/file-tree';
import { PLUGIN_ID } from './manifest';

const trust = z.object({
  version: z.string(),
  /** Below the folder of the plugin. */
  folder: z.string().regex(/^[\w.+-]+$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  source: z.string(),
  entry: z.string(),
  programs: z.array(z.string()),
  trustedAt: z.number(),
  trustedBy: z.string(),
});
export type Trust = z.infer<typeof trust>;
const state = z.object({
  /** What it is about: another content begins anew. */
  sha256: z.string(),
  enabled: z.boolean(),
  failedStarts: z.int().min(0),
});
type State = z.infer<typeof state>;

export const STARTS_UNTIL_DISABLED = 3;
/** For so long after the start the process has to live. */
const HEALTHY_AFTER_MS = 30_000;
const KEPT_MS = 24 * 3_600_000;

export const trustText = (value: Trust): string => `${JSON.stringify(trust.parse(value), null, 2)}\n`;

/** What may be loaded, or why not. */
export type Loadable =
  | { view: InstalledView; trust: Trust; path: string }
  | { view: InstalledView; trust: Trust | null; path: null; reason: string; remedy: string };

export interface Installed {
  readonly directory: string;
  readonly stagedDir: string;
  readonly removedDir: string;
  ids(): string[];
  trustOf(id: string): Trust | null;
  trustPath(id: string): string;
  /** Looks at its files; with `begin` a start with it is put down. */
  open(id: string, options: { begin: boolean }): Promise<Loadable>;
  /** While its code is waited for: what ends the process now was it. */
  during<T>(id: string, work: () => Promise<T>): Promise<T>;
  setEnabled(id: string, enabled: boolean): void;
  /** It was removed: installed again, it begins anew. */
  forget(id: string): void;
  /** The process has started; after half a minute the plugins that it loaded are cleared. */
  ready(): void;
  /** An orderly end is nobody's fault, if the process had started. */
  stop(): void;
  /** Forgets what was looked at and never installed, what was removed, and versions that were replaced. */
  sweep(isBusy: (id: string) => boolean, now: number): void;
}

function writeNow(path: string, text: string): void {
  const part = `${path}.cairn-new`;
  const file = openSync(part, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function readAs<T>(path: string, schema: z.ZodType<T>): T | null {
  if (!existsSync(path)) return null;
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    // Not what Cairn wrote: as if nobody had trusted it.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

export function createInstalled({
  directory,
  safeMode,
}: {
  directory: string;
  safeMode: boolean;
}): Installed {
  const stagedDir = join(directory, '.staged');
  const removedDir = join(directory, '.removed');
  /** Loaded by this process and not cleared yet. */
  const begun = new Set<string>();
  let isReady = false;
  let timer: NodeJS.Timeout | undefined;

  const trustPath = (id: string): string => join(directory, id, 'in-use.json');
  // Not in its folder: one that is being taken back has to be empty, whenever a start comes in between.
  const statesDir = join(directory, '.states');
  const statePath = (id: string): string => join(statesDir, `${id}.json`);
  const trustOf = (id: string): Trust | null => readAs(trustPath(id), trust);
  const stateOf = (id: string, { sha256 }: Trust): State => {
    const known = readAs(statePath(id), state);
    return known?.sha256 === sha256 ? known : { sha256, enabled: true, failedStarts: 0 };
  };
  const put = (id: string, value: State): void => writeNow(statePath(id), JSON.stringify(value));

  const actingPath = join(statesDir, 'acting');
  /** Of starts that did not get far: who of all that were loaded ended them. */
  function absolve(): void {
    if (!existsSync(actingPath)) return;
    const acting = readFileSync(actingPath, 'utf8');
    for (const id of installed.ids()) {
      const known = trustOf(id);
      if (!known || id === acting) continue;
      const had = stateOf(id, known);
      if (had.failedStarts > 0) put(id, { ...had, failedStarts: had.failedStarts - 1 });
    }
    // Last: cut off before, somebody is given one chance more, and nobody one less.
    rmSync(actingPath);
  }
  function clear(): void {
    for (const id of begun) {
      const known = trustOf(id);
      if (known) put(id, { ...stateOf(id, known), failedStarts: 0 });
    }
    begun.clear();
  }
  function clearSoon(): void {
    clearTimeout(timer);
    timer = setTimeout(clear, HEALTHY_AFTER_MS).unref();
  }

  const viewOf = (of: InstalledState, known: Trust | null, failedStarts: number): InstalledView => ({
    ...{ state: of, source: known?.source ?? '', sha256: known?.sha256 ?? '' },
    ...{ trustedAt: known?.trustedAt ?? null, trustedBy: known?.trustedBy ?? null, failedStarts },
  });

  async function isWhole(path: string, known: Trust): Promise<boolean> {
    if (!existsSync(join(path, known.entry))) return false;
    // What cannot be read as a tree any more (a link, a device) was changed, too.
    return readTree(path).then(
      (tree) => treeDigest(tree) === known.sha256,
      () => false,
    );
  }

  const installed: Installed = {
    ...{ directory, stagedDir, removedDir, trustOf, trustPath },
    ids: () =>
      existsSync(directory)
        ? readdirSync(directory, { withFileTypes: true })
            .filter((entry) => entry.isDirectory() && PLUGIN_ID.test(entry.name))
            .map((entry) => entry.name)
            .toSorted()
        : [],
    async open(id, { begin }) {
      const known = trustOf(id);
      if (!known)
        return {
          ...{ view: viewOf('not-trusted', null, 0), trust: null, path: null },
          reason: 'It lies in the folder of plugins, but nobody said that it is to be trusted.',
          remedy: `Move it elsewhere, then install it from there: cairn plugins install <folder>.`,
        };
      const now = stateOf(id, known);
      const not = (of: InstalledState, reason: string, remedy: string): Loadable => ({
        ...{ view: viewOf(of, known, now.failedStarts), trust: known, path: null, reason, remedy },
      });
      if (safeMode)
        return not(
          'safe-mode',
          'Cairn was started in safe mode, without any plugin from others.',
          'Disable or remove the one that makes trouble, then start Cairn without CAIRN_SAFE_MODE.',
        );
      if (!now.enabled) return not('off', 'It is disabled.', 'Enable it on the page Settings.');
      if (now.failedStarts >= STARTS_UNTIL_DISABLED && !begun.has(id))
        return not(
          'failed',
          `Cairn ended ${now.failedStarts} times in a row soon after it was loaded, so it is not loaded any more.`,
          'Install a version of it that is mended, or enable it to try again.',
        );
      const path = join(directory, id, known.folder);
      if (!(await isWhole(path, known)))
        return not(
          'changed',
          'Its files are not those that were trusted: somebody changed them on disk.',
          'If it was not you, find out who. Install it again from where it is from.',
        );
      if (begin) {
        // Once in a process, also where an installation that was cut off goes on and loads it again.
        if (!begun.has(id)) put(id, { ...now, failedStarts: now.failedStarts + 1 });
        begun.add(id);
        if (isReady) clearSoon();
      }
      return { view: viewOf('on', known, now.failedStarts), trust: known, path: join(path, known.entry) };
    },
    async during(id, work) {
      if (!trustOf(id)) return work();
      writeNow(actingPath, id);
      try {
        return await work();
      } finally {
        rmSync(actingPath, { force: true });
      }
    },
    setEnabled(id, enabled) {
      const known = trustOf(id);
      if (!known) return;
      begun.delete(id);
      put(id, { sha256: known.sha256, enabled, failedStarts: 0 });
    },
    forget(id) {
      begun.delete(id);
      rmSync(statePath(id), { force: true });
    },
    ready() {
      isReady = true;
      clearSoon();
    },
    stop() {
      clearTimeout(timer);
      if (isReady) clear();
    },
    sweep(isBusy, now) {
      const drop = (path: string): void => rmSync(path, { recursive: true, force: true });
      for (const folder of [stagedDir, removedDir])
        for (const name of existsSync(folder) ? readdirSync(folder) : [])
          if (now - statSync(join(folder, name)).ctimeMs > KEPT_MS) drop(join(folder, name));
      for (const id of installed.ids()) {
        const known = trustOf(id);
        if (!known || isBusy(id)) continue;
        for (const entry of readdirSync(join(directory, id), { withFileTypes: true }))
          if (entry.isDirectory() && entry.name !== known.folder) drop(join(directory, id, entry.name));
      }
    },
  };
  for (const path of [stagedDir, removedDir, statesDir]) mkdirSync(path, { recursive: true, mode: 0o700 });
  absolve();
  return installed;
}
