/** The configuration as it is now. */
import { kindOf } from '../vms/firmware';
import { allSettings } from '../vms/settings-store';
import { listVms, type VmRecord } from '../vms/store';
import type { VmSettings } from '../vms/settings-store';
import { disksOf } from '$lib/plugin-api/vm';
import type { ConfigurationContent, ConfigurationMachine } from '$lib/shared/wire/configuration';
import { isOfLibvirt, type HostLink } from '$lib/shared/wire/networks';
import type { Db } from '../db/client';
import { nodeIdOf } from '../db/node-id';
import { driveRows, imageRows, otherRows, poolRows } from './store';

export interface ContentParts {
  db: Db;
  version: string;
  hostname: string;
  networks: { list(): HostLink[] };
}

function machineOf(record: VmRecord, settings: VmSettings): ConfigurationMachine {
  const { spec } = record;
  const { id, name, plugin, cpus, memoryBytes, virtType, poolGuid, disk } = record;
  const { imageId, imageName, user, createdAt } = record;
  return {
    ...{ id, name, plugin, cpus, memoryBytes, virtType, poolGuid, disk },
    ...{ imageId, imageName, user, createdAt },
    topology: spec.topology ?? null,
    disks: disksOf(spec).map(({ slot, sizeBytes }) => ({ slot, sizeBytes })),
    cards: spec.cards ?? null,
    hasSeed: spec.seedPath !== null,
    firmware: kindOf(spec),
    ...{ devices: spec.devices ?? 'virtio', cpuModel: spec.cpuModel ?? null },
    ...{ tpm: spec.tpm === true, isTemplate: spec.isTemplate === true, basedOn: spec.basedOn ?? null },
    boot: spec.boot ?? null,
    isAdopted: spec.adopted !== undefined,
    settings: {
      ...{ isProtected: settings.isProtected, autostart: settings.autostart },
      ...{ startOrder: settings.startOrder, startDelaySeconds: settings.startDelaySeconds },
      ...{ tags: settings.tags, notes: settings.notes, hostStopSeconds: settings.hostStopSeconds },
      ...{ hostStopThen: settings.hostStopThen, startsAgain: settings.startsAgain },
    },
  };
}

export function currentContent(
  parts: ContentParts,
  createdAt: number,
  sequence: number,
): ConfigurationContent {
  const { db, version, hostname } = parts;
  const settings = allSettings(db);
  return {
    ...{ version, hostname, createdAt, sequence, nodeId: nodeIdOf(db) },
    ...{ pools: poolRows(db), drives: driveRows(db), images: imageRows(db), ...otherRows(db) },
    vms: listVms(db)
      .filter(({ state }) => state === 'ready')
      .map((record) => machineOf(record, settings(record.id))),
    bridges: parts.networks
      .list()
      .filter((link) => link.kind === 'bridge' && !isOfLibvirt(link))
      .map(({ id }) => id)
      .sort(),
  };
}
