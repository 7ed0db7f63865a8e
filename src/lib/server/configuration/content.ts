/** The configuration as it is now. */
import { kindOf } from '../vms/firmware';
import { allSettings } from '../vms/settings-store';
import { listVms, type VmRecord } from '../vms/store';
import type { VmSettings } from '../vms/settings-store';
import { disksOf } from '$lib/plugin-api/vm';
import type { ConfigurationContent, ConfigurationMachine } from '$lib/shared/wire/configuration';
import type { CertificateView } from '$lib/shared/wire/certificates';
import { isOfLibvirt, type HostLink } from '$lib/shared/wire/networks';
import type { PluginView } from '$lib/shared/wire/plugins';
import type { Db } from '../db/client';
import { nodeIdOf } from '../db/node-id';
import { requireChannel } from '../updates/channel';
import { driveRows, imageRows, otherRows, poolRows } from './store';

export interface ContentParts {
  db: Db;
  version: string;
  hostname: string;
  networks: { list(): HostLink[] };
  plugins: { list(): PluginView[] };
  certificate: { view(): CertificateView | null };
  /** null: nobody is asked for updates. */
  updateChannel: string | null;
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

/** An address without what may be a secret in it; everything else as it is. */
function openPart(source: string): string {
  const url = /^https?:/.test(source) ? URL.parse(source) : null;
  return url ? `${url.origin}${url.pathname}` : source;
}
/** Those that a person has trusted. */
const pluginsOf = (plugins: PluginView[]): ConfigurationContent['plugins'] =>
  plugins.flatMap(({ id, version, installed }) =>
    installed && installed.trustedAt !== null
      ? [
          {
            ...{ id, version, sha256: installed.sha256, source: openPart(installed.source) },
            enabled: installed.state !== 'off',
          },
        ]
      : [],
  );
/** One with a password in it is refused when it is asked, and is nowhere written down. */
function channelOf(channel: string | null): string | null {
  try {
    if (channel !== null) requireChannel(channel);
    return channel;
  } catch {
    return null;
  }
}

export function currentContent(
  parts: ContentParts,
  createdAt: number,
  sequence: number,
): ConfigurationContent {
  const { db, version, hostname } = parts;
  const settings = allSettings(db);
  const given = parts.certificate.view();
  return {
    ...{ version, hostname, createdAt, sequence, nodeId: nodeIdOf(db) },
    ...{ pools: poolRows(db), drives: driveRows(db), images: imageRows(db), ...otherRows(db) },
    vms: listVms(db)
      .filter(({ state }) => state === 'ready')
      .map((record) => machineOf(record, settings(record.id))),
    plugins: pluginsOf(parts.plugins.list()),
    updateChannel: channelOf(parts.updateChannel),
    certificate: given?.kind === 'given' ? given.subject : null,
    bridges: parts.networks
      .list()
      .filter((link) => link.kind === 'bridge' && !isOfLibvirt(link))
      .map(({ id }) => id)
      .sort(),
  };
}
