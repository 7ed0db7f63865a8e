/** The doorway to the machine, put together. Nothing else in the server starts a program or reads the kernel's tables. */
import type { Config } from '../config';
import { AppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Logger } from '../log';
import { createBlockDevices, type LiveBlockDevices } from './block-devices';
import { createCommands } from './command';
import { createEvents, type LiveEvents } from './events';
import { readMounts } from './mounts';
import { bootId } from './process-group';
import { processesUsing } from './processes';
import { kernelHasFilesystem } from './filesystems';
import { askBlkid } from './signatures';
import type { Host } from './types';
import { usageAt } from './usage';

export interface LiveHost extends Host {
  blockDevices: LiveBlockDevices;
  /** Begins the live sources; they emit bus events from now on. Resolves when they listen. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Adds programs of plugins to those that may be run. */
  allow(programs: string[]): void;
  /** A source of change besides the machine's own. @returns ends it */
  watch: LiveEvents['watch'];
}

export async function createHost(options: {
  config: Config;
  log: Logger;
  bus: Bus;
  sandboxDir: string;
  extraPrograms?: string[];
}): Promise<LiveHost> {
  const commands = createCommands(options.extraPrograms);
  const blockDevices = createBlockDevices({ commands, sandboxDir: options.sandboxDir, log: options.log });
  const events = createEvents({ commands, bus: options.bus, log: options.log });
  blockDevices.scan();

  return {
    commands,
    blockDevices,
    mounts: readMounts,
    async probe(path) {
      // A whole drive is read completely: right before a step destroys what is on it, the same reading is its last check.
      const answer = (await blockDevices.readWhole(path))?.blkid ?? (await askBlkid(commands, path));
      if (answer.kind === 'nothing') return null;
      if (answer.kind === 'ambivalent')
        throw new AppError('parse_failed', `${path} carries the signatures of several filesystems.`, {
          details: { tool: 'blkid', path, ambivalent: true },
          remedy: 'Erase the drive completely before it is used.',
        });
      const { type, uuid, label, tableType, tableUuid } = answer;
      if (type) return { type, uuid, label };
      return tableType ? { type: tableType, uuid: tableUuid, label: null } : null;
    },
    usage: (path) => usageAt(commands, path),
    processesUsing,
    hasFilesystem: kernelHasFilesystem,
    argument: (argument) => (typeof argument === 'string' ? argument : blockDevices.resolve(argument)),
    bootId,
    start: () => events.start(),
    async stop() {
      await events.stop();
      commands.readers.close();
      commands.talks.close();
    },
    allow: commands.allow,
    watch: events.watch,
  };
}
