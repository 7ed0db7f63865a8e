/** All plugins of this process, and what can be asked of them. A plugin that fails is shown with the reason, never fatal. */
import type { Look, LookResult } from '$lib/plugin-api/plan';
import type { Plugin } from '$lib/plugin-api/sdk';
import type {
  FoundPool,
  PluginContext,
  PoolReading,
  PoolSpec,
  PoolUsage,
  StoragePlugin,
} from '$lib/plugin-api/storage';
import type { CapacityEstimate, CapacityPlan, PluginView } from '$lib/shared/wire/plugins';
import type { EstimateRequest } from '$lib/shared/wire/requests';
import type { Config } from '../config';
import { AppError } from '../errors';
import type { Feed } from '../events/feed';
import { createLooks } from '../host/looks';
import type { LiveHost } from '../host/host';
import type { BlockDrive, Host } from '../host/types';
import type { Logger } from '../log';
import { heldAvailability, heldFound, heldLook, heldReading, heldUsage } from './answers';
import { estimateOf, planOf } from './capacity';
import { pluginContext } from './context';
import { gentleProbe } from './gentle-probe';
import { findContext } from './find-context';
import { createInstalled, type Installed } from './installed';
import { loadPlugins, loadThirdParty, type Loaded } from './loader';
import { pluginError } from './plugin-error';
import { withTimeout } from './time-limit';
import { firstAnswer, viewOf, type Availability } from './view';
import { vmPluginsOf, type VmPlugins } from './vm-plugins';

const CHECK_LIMIT_MS = 10_000;
const STATUS_LIMIT_MS = 20_000;
const USAGE_LIMIT_MS = 5_000;
const LOOK_LIMIT_MS = 60_000;
const FIND_LIMIT_MS = 120_000;

export interface Plugins extends VmPlugins {
  list(): PluginView[];
  /** A plugin that can be used now. @throws AppError plugin_not_found | plugin_unavailable */
  storage(id: string): StoragePlugin;
  /** A plugin that was loaded, available or not; null when there is none. For showing what is there. */
  known(id: string): StoragePlugin | null;
  context(id: string, signal?: AbortSignal): PluginContext;
  /** Core looks and `<plugin>/<name>`, `negate` included. */
  look(look: Look): Promise<LookResult>;
  status(id: string, spec: PoolSpec): Promise<PoolReading>;
  /** Plugins that can find pools and can be used now. */
  finders(): { id: string; name: string }[];
  /** The pools of one plugin on these drives; what is on them is taken from the inventory, not read again. */
  find(id: string, drives: BlockDrive[]): Promise<FoundPool[]>;
  /** Used space of a mounted pool; null: it cannot be told now. Does not wait for what hangs. */
  usage(id: string, spec: PoolSpec): Promise<PoolUsage | null>;
  /** Live answer to a half-filled form; drives that are not there do not count. @throws AppError plugin_not_found | unknown_layout */
  estimate(request: EstimateRequest): CapacityEstimate;
  /** What becomes of the space of each of some drives. @throws AppError plugin_not_found | unknown_layout | bug */
  planCapacity(
    request: Pick<EstimateRequest, 'plugin' | 'layout' | 'options'> & { driveSizesBytes: number[] },
  ): CapacityPlan;
  /** Has every plugin check what it needs; before the first time, only its files are known. */
  refresh(): Promise<void>;
  /** Once more those whose last check came to no answer. @returns whether another plugin can be used now */
  checkFailed(): Promise<boolean>;
  /** Those from others, on disk. */
  installed: Installed;
  /** Reads one from others anew, which was installed, enabled, disabled or removed. */
  reload(id: string): Promise<void>;
  /** Has one plugin check again, because what it talks to went or came back; no such plugin: nothing. */
  recheck(id: string): Promise<void>;
}

export interface PluginsOptions {
  config: Pick<Config, 'thirdPartyPluginsDir'> & Partial<Pick<Config, 'safeMode'>>;
  host: Host & Pick<LiveHost, 'allow'> & Partial<Pick<LiveHost, 'watch'>>;
  feed: Feed;
  log: Logger;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Plugins that are loaded, and known by their files; `refresh` has them check themselves. */
export async function createPlugins({ config, host, feed, log }: PluginsOptions): Promise<Plugins> {
  const installed = createInstalled({
    directory: config.thirdPartyPluginsDir,
    safeMode: config.safeMode ?? false,
  });
  const entries = new Map((await loadPlugins(installed)).map((entry) => [entry.id, entry]));
  const availability = new Map<string, Availability>();
  /** Ids of those whose last check came to no answer, on a busy machine say. */
  const unanswered = new Set<string>();
  const coreLook = createLooks(host);
  const endWatch = new Map<string, () => void>();
  function welcome({ id, kind, programs, watch }: Plugin): void {
    host.allow(programs);
    const end =
      watch && programs.includes(watch.program)
        ? host.watch?.({ ...{ name: id, of: kind }, ...watch })
        : undefined;
    if (end) endWatch.set(id, end);
  }
  for (const entry of entries.values()) {
    if (entry.plugin) welcome(entry.plugin);
    availability.set(entry.id, firstAnswer(entry));
  }

  async function check(entry: Loaded): Promise<Availability> {
    if (!entry.plugin) return { available: false, reason: entry.reason, remedy: entry.remedy };
    const { plugin } = entry;
    unanswered.delete(entry.id);
    try {
      const ask = () =>
        withTimeout(CHECK_LIMIT_MS, 'Its check', async (signal) =>
          heldAvailability(await plugin.check(pluginContext(plugin, host, log, signal))),
        );
      return await (entry.origin === 'built-in' ? ask() : installed.during(entry.id, ask));
    } catch (error) {
      unanswered.add(entry.id);
      log.warn({ error, plugin: entry.id }, 'the check of a plugin failed');
      return {
        available: false,
        reason: `Its check failed: ${reasonOf(error)}.`,
        remedy: 'Look into the log, correct what it names, then check again.',
      };
    }
  }

  async function refresh(): Promise<void> {
    // One after another: starting all their programs at once would keep everything else waiting.
    for (const entry of entries.values()) availability.set(entry.id, await check(entry));
    publish();
  }
  async function checkFailed(): Promise<boolean> {
    let more = false;
    for (const id of [...unanswered]) {
      const entry = entries.get(id);
      if (!entry) continue;
      const answer = await check(entry);
      availability.set(id, answer);
      more ||= answer.available;
    }
    if (more) publish();
    return more;
  }
  async function recheck(id: string): Promise<void> {
    const entry = entries.get(id);
    if (!entry?.plugin) return;
    availability.set(id, await check(entry));
    publish();
  }
  async function reload(id: string): Promise<void> {
    if (entries.get(id)?.origin === 'built-in') return;
    unanswered.delete(id);
    endWatch.get(id)?.();
    endWatch.delete(id);
    if (installed.ids().includes(id)) {
      const entry = await loadThirdParty(installed, id);
      entries.set(id, entry);
      if (entry.plugin) welcome(entry.plugin);
      availability.set(id, await check(entry));
    } else {
      entries.delete(id);
      availability.delete(id);
      installed.forget(id);
    }
    publish();
  }
  const publish = (): void =>
    feed.replace(
      'plugins',
      plugins.list().map((view) => ({ id: view.id, value: view })),
    );

  function loadedPlugin(id: string): Plugin {
    const entry = entries.get(id);
    if (!entry) throw new AppError('plugin_not_found', `There is no plugin "${id}".`);
    if (entry.plugin) return entry.plugin;
    throw new AppError('plugin_unavailable', `The plugin ${id} cannot be used. ${entry.reason}`, {
      remedy: entry.remedy,
    });
  }
  function storagePlugin(id: string): StoragePlugin {
    const plugin = loadedPlugin(id);
    if (plugin.kind === 'storage') return plugin;
    throw new AppError('plugin_not_found', `The plugin "${id}" makes no pools.`);
  }
  function refuseUnavailable(id: string): void {
    const state = availability.get(id);
    if (state && !state.available)
      throw new AppError('plugin_unavailable', `The plugin ${id} cannot be used. ${state.reason}`, {
        remedy: state.remedy,
      });
  }

  async function pluginLook(look: Look): Promise<LookResult> {
    const [id = '', name = ''] = look.look.split('/');
    const plugin = loadedPlugin(id);
    const ask = plugin.looks && Object.hasOwn(plugin.looks, name) ? plugin.looks[name] : undefined;
    if (!ask) throw new AppError('bug', `The plugin ${id} has no look "${name}".`);
    const result = await withTimeout(LOOK_LIMIT_MS, `The look ${look.look}`, async (signal) =>
      heldLook(look.look, await ask(pluginContext(plugin, host, log, signal), look.args)),
    ).catch((error: unknown) => {
      throw pluginError(id, error);
    });
    if (!look.negate || (result.status !== 'done' && result.status !== 'absent')) return result;
    return { ...result, status: result.status === 'done' ? 'absent' : 'done' };
  }

  const plugins: Plugins = {
    installed,
    reload,
    list: () =>
      [...entries.values()].map((entry) => viewOf(entry, availability.get(entry.id) ?? firstAnswer(entry))),
    storage(id) {
      const plugin = storagePlugin(id);
      refuseUnavailable(id);
      return plugin;
    },
    known(id) {
      const plugin = entries.get(id)?.plugin;
      return plugin?.kind === 'storage' ? plugin : null;
    },
    context: (id, signal = new AbortController().signal) =>
      pluginContext(loadedPlugin(id), host, log, signal),
    look: (look) => (look.look.includes('/') ? pluginLook(look) : coreLook(look)),
    async status(id, spec) {
      const plugin = storagePlugin(id);
      try {
        return await withTimeout(STATUS_LIMIT_MS, `Reading the pool ${spec.label}`, async (signal) =>
          heldReading(await plugin.status(pluginContext(plugin, host, log, signal, gentleProbe(host)), spec)),
        );
      } catch (error) {
        throw pluginError(id, error);
      }
    },
    finders: () =>
      [...entries.values()].flatMap(({ id, plugin }) =>
        plugin?.kind === 'storage' && plugin.find && availability.get(id)?.available
          ? [{ id, name: plugin.name }]
          : [],
      ),
    async find(id, drives) {
      const plugin = storagePlugin(id);
      try {
        return await withTimeout(FIND_LIMIT_MS, 'Looking for pools', async (signal) =>
          heldFound(await plugin.find?.(findContext(pluginContext(plugin, host, log, signal), drives))),
        );
      } catch (error) {
        throw pluginError(id, error);
      }
    },
    async usage(id, spec) {
      const plugin = storagePlugin(id);
      const { usage } = plugin;
      if (!usage) return host.usage(spec.mountPath);
      const limit = `Reading the used space of ${spec.label}`;
      return withTimeout(USAGE_LIMIT_MS, limit, async (signal) =>
        heldUsage(await usage.call(plugin, pluginContext(plugin, host, log, signal), spec)),
      );
    },
    estimate({ plugin: id, layout, options, driveIds }) {
      const sizes = new Map(host.blockDevices.current().map((drive) => [drive.id, drive.sizeBytes]));
      return estimateOf(storagePlugin(id), {
        ...{ layout, options },
        driveSizesBytes: driveIds.flatMap((driveId) => sizes.get(driveId) ?? []),
      });
    },
    planCapacity({ plugin: id, ...request }) {
      const plugin = storagePlugin(id);
      try {
        return planOf(plugin, request);
      } catch (error) {
        throw pluginError(id, error);
      }
    },
    refresh,
    checkFailed,
    recheck,
    ...vmPluginsOf({
      plugins: () => [...entries.values()].flatMap(({ plugin }) => (plugin?.kind === 'vm' ? [plugin] : [])),
      refuseUnavailable,
      contextOf: (plugin, signal) => pluginContext(plugin, host, log, signal),
    }),
  };
  publish();
  return plugins;
}
