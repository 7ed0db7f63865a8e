/**
 * Addresses of machines that are on: asked for when one comes on, and whenever its engine has given one to somebody.
 * Never waits for a guest.
 */
import { isDeepStrictEqual } from 'node:util';
import { createFolderWatches } from '../host/folder-watches';
import type { Logger } from '../log';
import type { Plugins } from '../plugins/registry';

export interface VmAddressBook {
  /** Empty: none is known, or it is off. */
  of(id: string): string[];
  /** Those that are on, by plugin; who came or went is noticed. */
  follow(on: Map<string, string[]>): void;
  stop(): void;
}

export function createVmAddresses(deps: {
  plugins: Pick<Plugins, 'vmAddresses'>;
  log: Pick<Logger, 'debug'>;
  changed: () => void;
}): VmAddressBook {
  const { plugins, log, changed } = deps;
  const known = new Map<string, string[]>();
  let on = new Map<string, string[]>();
  /** `again`: something happened while it was being asked. */
  const asking = new Map<string, { again: boolean }>();
  let stopped = false;

  const isOn = (id: string): boolean => [...on.values()].some((ids) => ids.includes(id));

  /** By plugin: where something changes when an address is given. */
  const folders = new Map<string, string>();
  const folderWatches = createFolderWatches(log, (changedFolder) => {
    for (const [plugin, folder] of folders) if (folder === changedFolder) void ask(plugin);
  });
  async function askOnce(plugin: string): Promise<void> {
    const ids = on.get(plugin) ?? [];
    if (ids.length === 0) return;
    const answer = await plugins.vmAddresses(plugin, ids);
    if (!answer) return;
    folders.set(plugin, answer.folder);
    // One that is not there yet (no network was ever up) is tried again when the next machine comes on.
    folderWatches.follow(folders.values());
    let news = false;
    for (const { id, addresses } of answer.machines) {
      if (!isOn(id) || isDeepStrictEqual(known.get(id) ?? [], addresses)) continue;
      known.set(id, addresses);
      news = true;
    }
    if (news && !stopped) changed();
  }
  async function ask(plugin: string): Promise<void> {
    const current = asking.get(plugin);
    if (current) {
      current.again = true;
      return;
    }
    const state = { again: true };
    asking.set(plugin, state);
    try {
      while (state.again && !stopped) {
        state.again = false;
        await askOnce(plugin);
      }
    } catch (error) {
      // What was known stays; the next sign has it asked again.
      log.debug({ error, plugin }, 'the addresses of machines could not be read');
    } finally {
      asking.delete(plugin);
    }
  }

  return {
    of: (id) => known.get(id) ?? [],
    follow(now) {
      const before = on;
      on = now;
      for (const id of known.keys()) if (!isOn(id)) known.delete(id);
      for (const [plugin, ids] of now) {
        const had = before.get(plugin) ?? [];
        if (ids.some((id) => !had.includes(id))) void ask(plugin);
      }
    },
    stop() {
      stopped = true;
      folderWatches.stop();
    },
  };
}
