/** What a plugin writes into the log: so much and no more, or it would fill the disk and bury what others say. */
import type { Plugin } from '$lib/plugin-api/sdk';
import type { PluginContext } from '$lib/plugin-api/storage';
import type { Logger } from '../log';

const WINDOW_MS = 10_000;
const MOST_IN_WINDOW = 100;
const MOST_CHARACTERS = 2_000;

/** Of each plugin that is loaded, whatever contexts it was given. */
const windows = new WeakMap<Plugin, { began: number; said: number }>();

/** @returns at most 100 messages in ten seconds, each of at most 2,000 characters; the first that is too much says so */
export const boundedLog =
  (plugin: Plugin, log: Pick<Logger, 'info' | 'warn'>): PluginContext['log'] =>
  (message, data) => {
    const now = performance.now();
    const known = windows.get(plugin);
    const current = known && now - known.began < WINDOW_MS ? known : { began: now, said: 0 };
    current.said += 1;
    windows.set(plugin, current);
    if (current.said === MOST_IN_WINDOW + 1)
      log.warn({ plugin: plugin.id }, 'a plugin says too much: the rest of ten seconds is dropped');
    if (current.said > MOST_IN_WINDOW) return;
    const isShort = data === undefined || JSON.stringify(data).length <= MOST_CHARACTERS;
    log.info(
      { ...(isShort ? data : { dropped: 'its data is too long' }), plugin: plugin.id },
      String(message).slice(0, MOST_CHARACTERS),
    );
  };
