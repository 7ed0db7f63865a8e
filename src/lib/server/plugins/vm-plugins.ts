/** What can be asked of the plugins that run machines. */
import type { PluginContext } from '$lib/plugin-api/storage';
import type {
  Acceleration,
  ConsoleEndpoint,
  ConsoleKind,
  VmAddresses,
  VmCard,
  VmCdDrive,
  VmDisk,
  VmPlugin,
  VmReading,
  VmSnapshotsReading,
  VmSpec,
  VmUsage,
} from '$lib/plugin-api/vm';
import type { VmFirmwareOffers } from '$lib/plugin-api/vm-extras';
import type { VmFound } from '$lib/plugin-api/vm-found';
import type { JsonObject } from '$lib/shared/json';
import { AppError } from '../errors';
import {
  heldAcceleration,
  heldCloneWhy,
  heldBytes,
  heldCdDrive,
  heldConsole,
  heldDefinition,
  heldFacts,
  heldFirmware,
  heldVmFound,
  heldGuestAddresses,
  heldVmAddresses,
  heldVmReadings,
  heldVmSnapshots,
  heldVmUsages,
} from './answers';
import { pluginError } from './plugin-error';
import { withTimeout } from './time-limit';

const STATUS_LIMIT_MS = 20_000;
const CONSOLE_LIMIT_MS = 10_000;
const GUEST_LIMIT_MS = 10_000;
const TRIAL_LIMIT_MS = 15_000;

export interface VmPlugins {
  /** Ids of all that were loaded, available or not. */
  vmPlugins(): string[];
  /** A plugin that can be used now; without an id the first. @throws AppError plugin_not_found | plugin_unavailable */
  vm(id?: string): VmPlugin;
  /** One that was loaded, available or not; without its capabilities when there is none. */
  knownVm(id: string): Pick<VmPlugin, 'cards' | 'snapshots' | 'guestAddresses' | 'hears'>;
  /** Every machine that it knows. @throws AppError parse_failed | command_failed | command_timeout | bug */
  readVms(id: string): Promise<VmReading[]>;
  /** What every machine of it that is on has used; none when it cannot tell. */
  vmUsage(id: string): Promise<VmUsage[]>;
  /** Of these machines of it; null: it cannot tell. `folder`: see the plugin's contract. */
  vmAddresses(id: string, ids: string[]): Promise<{ folder: string; machines: VmAddresses[] } | null>;
  /** What the guest of one that is on tells; null: nothing, or nobody can ask it. Waits for the guest. */
  vmGuestAddresses(id: string, spec: VmSpec): Promise<string[] | null>;
  /** Where the console of a machine that is on is now; null: it has none of that kind. */
  consoleOf(id: string, vmId: string, kind: ConsoleKind): Promise<ConsoleEndpoint | null>;
  /** What these machines are, whoever made them; null: it cannot tell, and takes over none. @throws as readVms */
  vmsFound(id: string, ids: string[]): Promise<VmFound[] | null>;
  /** What it keeps of a machine, to be read. @throws as readVms, and AppError not_supported */
  vmDefinition(id: string, vmId: string): Promise<string>;
  /** What a change of the size needs to know. @throws as readVms, and AppError bug for a plugin that cannot resize */
  vmSizeFacts(id: string, spec: VmSpec): Promise<JsonObject>;
  /** What comes back with a machine that is shelved. @throws as vmSizeFacts */
  vmShelveFacts(id: string, spec: VmSpec): Promise<JsonObject>;
  /** What a change of its boot order needs to know. @throws as vmSizeFacts */
  vmBootFacts(id: string, spec: VmSpec): Promise<JsonObject>;
  /** What a change of a network card needs to know. @throws as vmSizeFacts */
  vmCardFacts(id: string, spec: VmSpec, card: VmCard): Promise<JsonObject>;
  /** Why a machine cannot be cloned; null: it can. @throws as readVms, and AppError not_supported for a plugin that cannot */
  vmCloneWhy(id: string, spec: VmSpec, which: 'first' | 'all'): Promise<string | null>;
  /** @throws as readVms, and AppError not_supported for a plugin whose machines have none */
  vmSnapshots(id: string, spec: VmSpec): Promise<VmSnapshotsReading>;
  /** How large a disk of a machine is now. @throws as vmSizeFacts */
  vmDiskSize(id: string, disk: VmDisk): Promise<number>;
  /** What is in the drive of a machine; null: it has none. @throws as vmSizeFacts */
  vmCdDrive(id: string, spec: VmSpec): Promise<VmCdDrive | null>;
  /** What machines of it can start by on this host; null: by BIOS only. @throws as readVms */
  vmFirmware(id: string): Promise<VmFirmwareOffers | null>;
  /** Tried once, and remembered until the process ends. */
  acceleration(id: string): Promise<Acceleration>;
}

export function vmPluginsOf(parts: {
  plugins: () => VmPlugin[];
  refuseUnavailable: (id: string) => void;
  contextOf: (plugin: VmPlugin, signal: AbortSignal) => PluginContext;
}): VmPlugins {
  const tried = new Map<string, Promise<Acceleration>>();

  function loaded(id?: string): VmPlugin {
    const plugin = parts.plugins().find((one) => id === undefined || one.id === id);
    if (plugin) return plugin;
    throw new AppError(
      'plugin_not_found',
      id === undefined ? 'There is no plugin for machines.' : `There is no plugin "${id}" for machines.`,
    );
  }
  async function tryOut(plugin: VmPlugin): Promise<Acceleration> {
    try {
      return await withTimeout(TRIAL_LIMIT_MS, 'Trying out the processor', async (signal) =>
        heldAcceleration(await plugin.acceleration(parts.contextOf(plugin, signal))),
      );
    } catch (error) {
      tried.delete(plugin.id);
      throw pluginError(plugin.id, error);
    }
  }

  /** What a plugin says to a question, within its time; what it throws becomes an error that names the plugin. */
  async function answered<T>(
    plugin: VmPlugin,
    limitMs: number,
    what: string,
    question: (context: PluginContext) => Promise<T>,
  ): Promise<T> {
    try {
      return await withTimeout(limitMs, what, (signal) => question(parts.contextOf(plugin, signal)));
    } catch (error) {
      throw pluginError(plugin.id, error);
    }
  }

  return {
    vmPlugins: () => parts.plugins().map(({ id }) => id),
    vm(id) {
      const plugin = loaded(id);
      parts.refuseUnavailable(plugin.id);
      return plugin;
    },
    knownVm: (id) => parts.plugins().find((one) => one.id === id) ?? {},
    async readVms(id) {
      const plugin = loaded(id);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the machines', async (context) =>
        heldVmReadings(await plugin.status(context)),
      );
    },
    async vmUsage(id) {
      const plugin = loaded(id);
      if (!plugin.usage) return [];
      const ask = plugin.usage.bind(plugin);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading what machines use', async (context) =>
        heldVmUsages(await ask(context)),
      );
    },
    async vmAddresses(id, ids) {
      const plugin = loaded(id);
      const { addresses } = plugin;
      if (!addresses) return null;
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the addresses of machines', async (context) => ({
        folder: addresses.folder,
        machines: heldVmAddresses(await addresses.read(context, ids)),
      }));
    },
    async vmGuestAddresses(id, spec) {
      const plugin = loaded(id);
      const { guestAddresses } = plugin;
      if (!guestAddresses) return null;
      return answered(plugin, GUEST_LIMIT_MS, 'Asking a guest for its addresses', async (context) =>
        heldGuestAddresses(await guestAddresses.read(context, spec)),
      );
    },
    async consoleOf(id, vmId, kind) {
      const plugin = loaded(id);
      if (!plugin.console) return null;
      const ask = plugin.console.bind(plugin);
      return answered(plugin, CONSOLE_LIMIT_MS, 'Looking for the console', async (context) =>
        heldConsole(await ask(context, vmId, kind)),
      );
    },
    async vmsFound(id, ids) {
      const plugin = loaded(id);
      const { adopt } = plugin;
      if (!adopt) return null;
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the machines that were found', async (context) =>
        heldVmFound(await adopt.read(context, ids)),
      );
    },
    async vmDefinition(id, vmId) {
      const plugin = loaded(id);
      if (!plugin.definition)
        throw new AppError('not_supported', `The plugin ${plugin.name} has no definitions to be read.`);
      const ask = plugin.definition.bind(plugin);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the definition of a machine', async (context) =>
        heldDefinition(await ask(context, vmId)),
      );
    },
    async vmSizeFacts(id, spec) {
      const plugin = loaded(id);
      const { resize } = plugin;
      if (!resize) throw new AppError('bug', `The plugin ${id} was asked for what it cannot do.`);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the size of a machine', async (context) =>
        heldFacts(await resize.facts(context, spec)),
      );
    },
    async vmShelveFacts(id, spec) {
      const plugin = loaded(id);
      const { shelve } = plugin;
      if (!shelve) throw new AppError('bug', `The plugin ${id} was asked for what it cannot do.`);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading all that is known of a machine', async (context) =>
        heldFacts(await shelve.read(context, spec)),
      );
    },
    async vmBootFacts(id, spec) {
      const plugin = loaded(id);
      const { boot } = plugin;
      if (!boot) throw new AppError('bug', `The plugin ${id} was asked for what it cannot do.`);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading what a machine starts from', async (context) =>
        heldFacts(await boot.facts(context, spec)),
      );
    },
    async vmCardFacts(id, spec, card) {
      const plugin = loaded(id);
      const { cards } = plugin;
      if (!cards) throw new AppError('bug', `The plugin ${id} was asked for what it cannot do.`);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading a network card of a machine', async (context) =>
        heldFacts(await cards.facts(context, spec, card)),
      );
    },
    async vmFirmware(id) {
      const plugin = loaded(id);
      const { firmware } = plugin;
      if (!firmware) return null;
      const { virtType } = await this.acceleration(id);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading what machines can start by', async (context) =>
        heldFirmware(await firmware.read(context, virtType)),
      );
    },
    async vmCloneWhy(id, spec, which) {
      const plugin = loaded(id);
      if (!plugin.cloneWhy)
        throw new AppError('not_supported', `The plugin ${plugin.name} cannot clone machines.`);
      const ask = plugin.cloneWhy.bind(plugin);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the disks of a machine', async (context) =>
        heldCloneWhy(await ask(context, spec, which)),
      );
    },
    async vmDiskSize(id, disk) {
      const plugin = loaded(id);
      const { disks } = plugin;
      if (!disks) throw new AppError('bug', `The plugin ${id} was asked for what it cannot do.`);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the size of a disk', async (context) =>
        heldBytes(await disks.sizeOf(context, disk)),
      );
    },
    async vmSnapshots(id, spec) {
      const plugin = loaded(id);
      const { snapshots } = plugin;
      if (!snapshots)
        throw new AppError('not_supported', `The plugin ${plugin.name} cannot keep states of machines.`);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the snapshots of a machine', async (context) =>
        heldVmSnapshots(await snapshots.read(context, spec)),
      );
    },
    async vmCdDrive(id, spec) {
      const plugin = loaded(id);
      const { cd } = plugin;
      if (!cd) throw new AppError('bug', `The plugin ${id} was asked for what it cannot do.`);
      return answered(plugin, STATUS_LIMIT_MS, 'Reading the drive of a machine', async (context) =>
        heldCdDrive(await cd.read(context, spec)),
      );
    },
    acceleration(id) {
      const before = tried.get(id);
      if (before) return before;
      const trial = tryOut(loaded(id));
      tried.set(id, trial);
      return trial;
    },
  };
}
