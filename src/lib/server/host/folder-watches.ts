/** Tells at once when something is made, changed or removed in a folder (inotify(7)). */
import { existsSync, watch, type FSWatcher } from 'node:fs';
import type { Logger } from '../log';

export interface FolderWatches {
  /** These and no others. One that is not there is tried again whenever this is called. */
  follow(folders: Iterable<string>): void;
  stop(): void;
}

/** A watch holds nothing: what is mounted there can be unmounted, and the watch ends by itself. */
export function createFolderWatches(
  log: Pick<Logger, 'debug'>,
  changed: (folder: string) => void,
): FolderWatches {
  const watchers = new Map<string, FSWatcher>();
  let stopped = false;

  function drop(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  }
  function add(folder: string): void {
    try {
      const watcher = watch(folder, () => {
        // It is gone itself: another one of its name would be watched by nobody.
        if (!existsSync(folder)) drop(folder);
        if (!stopped) changed(folder);
      });
      watcher.on('error', () => drop(folder));
      watchers.set(folder, watcher);
    } catch (error) {
      log.debug({ error, folder }, 'the folder cannot be watched');
    }
  }

  return {
    follow(folders) {
      if (stopped) return;
      const wanted = new Set(folders);
      for (const folder of watchers.keys()) if (!wanted.has(folder)) drop(folder);
      for (const folder of wanted) if (!watchers.has(folder)) add(folder);
    },
    stop() {
      stopped = true;
      for (const folder of watchers.keys()) drop(folder);
    },
  };
}
