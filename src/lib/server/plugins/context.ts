/** The narrow doorway that a plugin gets: reading, its own programs only, never the database, the bus or the environment. */
import type { Plugin } from '$lib/plugin-api/sdk';
import type { PluginContext } from '$lib/plugin-api/storage';
import { AppError } from '../errors';
import type { Host } from '../host/types';
import type { Logger } from '../log';
import { boundedLog } from './bounded-log';

export function pluginContext(
  plugin: Plugin,
  host: Host,
  log: Logger,
  signal: AbortSignal,
  probe: PluginContext['probe'] = (path) => host.probe(path),
): PluginContext {
  return {
    read(program, argv, options = {}) {
      if (!plugin.programs.includes(program))
        return Promise.reject(
          new AppError('command_not_allowed', `The plugin ${plugin.id} does not declare ${program}.`, {
            details: { plugin: plugin.id, program },
          }),
        );
      return host.commands.read(program, argv, { ...options, signal });
    },
    path: (ref) => host.blockDevices.pathOf(ref),
    drives: () =>
      host.blockDevices.current().map(({ id, path, serial, sizeBytes, partitions }) => ({
        id,
        path,
        serial,
        sizeBytes,
        partitions: partitions.map((partition) => partition.number),
      })),
    driveIdOf: (path) => host.blockDevices.driveIdOf(path),
    probe,
    mounts: () =>
      host.mounts().map(({ path, source, filesystem, majorMinor, readOnly }) => ({
        path,
        source,
        filesystem,
        majorMinor,
        readOnly,
      })),
    hasFilesystem: (type) => host.hasFilesystem(type),
    usage: (path) => host.usage(path),
    signal,
    log: boundedLog(plugin, log),
  };
}
