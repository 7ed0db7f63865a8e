/** Plugins from others: looked at, trusted by name, installed, enabled, disabled, removed. */
import type { InstallRequest, StageRequest } from '$lib/shared/wire/plugin-requests';
import type { Operation } from '$lib/shared/wire/operations';
import type { PluginView, StagedPlugin } from '$lib/shared/wire/plugins';
import type { Actor } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import { AppError } from '../errors';
import type { Operations } from '../operations/types';
import type { Plugins } from '../plugins/registry';
import type { FoundPools } from '../pools/found';
import type { Pools } from '../pools/pool';
import type { Vms } from '../vms/vm';
import { definePluginOperations, INSTALL, pluginLock, REMOVE } from './operations';
import { stage } from './staging';

export interface ThirdParty {
  /** Reads what somebody wants to install; nothing of it is run. */
  stage(request: StageRequest | { archive: Buffer; name: string }): Promise<StagedPlugin>;
  install(request: InstallRequest, actor: Actor): Promise<Operation>;
  remove(id: string, actor: Actor): Promise<Operation>;
  /** Takes it in use, or out of it, at once. @throws AppError plugin_not_found | plugin_built_in | locked */
  setEnabled(id: string, enabled: boolean): Promise<PluginView>;
  ready(): void;
  cleanUp(): void;
  stop(): void;
}

interface Parts {
  plugins: Plugins;
  operations: Operations;
  clock: Clock;
  pools: Pick<Pools, 'list' | 'refresh'>;
  found: Pick<FoundPools, 'refresh'>;
  vms: Pick<Vms, 'list'>;
  /** @throws AppError when the person has not given the password lately */
  requireFresh(actor: Actor): void;
}

export function createThirdParty(parts: Parts): ThirdParty {
  const { plugins, operations, clock, pools, found, vms, requireFresh } = parts;
  const { installed } = plugins;
  async function changed(id: string): Promise<void> {
    await plugins.reload(id);
    await Promise.all([pools.refresh(), found.refresh()]);
  }
  const usersOf = (id: string): string[] => [
    ...pools.list().flatMap(({ plugin, label }) => (plugin === id ? [`the pool "${label}"`] : [])),
    ...vms.list().flatMap(({ plugin, name }) => (plugin === id ? [`the machine "${name}"`] : [])),
  ];
  definePluginOperations({ operations, plugins, clock, usersOf, changed });

  return {
    stage: (request) => stage(installed, request),
    // Whose code runs as root is not for somebody who found a page open.
    install: async (request, actor) => {
      requireFresh(actor);
      return operations.start({ kind: INSTALL, request: { ...request, by: actor.name }, actor });
    },
    remove: (id, actor) => operations.start({ kind: REMOVE, request: { id }, actor }),
    async setEnabled(id, enabled) {
      const view = plugins.list().find((one) => one.id === id);
      if (view?.origin === 'built-in')
        throw new AppError('plugin_built_in', `The plugin ${id} is a part of Cairn and always on.`);
      if (!view || !installed.trustOf(id))
        throw new AppError('plugin_not_found', `No plugin "${id}" was installed.`);
      const holder = operations.holder(pluginLock(id));
      if (holder) throw new AppError('locked', `"${holder.title}" is not finished yet.`);
      installed.setEnabled(id, enabled);
      await changed(id);
      const now = plugins.list().find((one) => one.id === id);
      if (!now) throw new AppError('plugin_not_found', `The plugin ${id} is gone.`);
      return now;
    },
    ready: () => installed.ready(),
    cleanUp: () => installed.sweep((id) => operations.holderId(pluginLock(id)) !== null, clock.now()),
    stop: () => installed.stop(),
  };
}
