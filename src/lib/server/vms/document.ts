/** One machine as pages show it: what was made of it, what its engine says, and what is being done to it. Pure. */
import { posix } from 'node:path';
import { disksOf, type VmCard, type VmStatus } from '$lib/plugin-api/vm';
import { bootOrderOf } from '$lib/plugin-api/vm-boot';
import type { Image } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import type { Vm } from '$lib/shared/wire/vms';
import { promisedDiskBytes } from './accounts';
import { kindOf } from './firmware';
import { SAVE, START, STOP, STOP_WITH_HOST } from './kinds';
import { isReady } from '../pools/when-ready';
import type { VmSettings } from './settings-store';
import type { VmRecord } from './store';

export interface VmFacts {
  record: VmRecord;
  settings: VmSettings;
  status: VmStatus | 'missing' | 'unknown';
  /** That its engine gave it. */
  addresses: string[];
  /** That it says it has. */
  guestAddresses: string[];
  /** Why its engine does not answer. */
  reason: string | null;
  /** It starts by itself, and its turn has not come yet. */
  isDue: boolean;
  /** The live operation on it. */
  operation: { id: string; kind: string } | null;
  pool: Pool | null;
  nodeId: string;
  cards: VmCard[];
  basedOn: Vm['basedOn'];
  linked: string[];
  /** The image in its drive; null: it is empty, or has what is no image of ours. */
  cd: Pick<Image, 'id' | 'name'> | null;
}

const dueText = (pool: Pool | null): string =>
  pool && isReady(pool)
    ? 'It starts by itself when its turn comes.'
    : `It starts by itself as soon as its pool${pool ? ` "${pool.label}"` : ''} is mounted.`;

const missingText = ({ plugin, spec }: VmRecord): string =>
  `${plugin} does not know it any more. ${
    spec.adopted
      ? 'Define it again where it was made, or give it up.'
      : 'Starting it makes it known again; its disk is where it was.'
  }`;

function stateOf({
  record,
  status,
  reason,
  operation,
  isDue,
  pool,
}: VmFacts): Pick<Vm, 'state' | 'stateText'> {
  if (record.state === 'creating') return { state: 'creating', stateText: null };
  if (record.state === 'failed') return { state: 'failed-to-start', stateText: record.failedText };
  if (record.state === 'removing') return { state: 'removing', stateText: null };
  if (operation?.kind === START && status !== 'running') return { state: 'starting', stateText: null };
  if ((operation?.kind === STOP || operation?.kind === STOP_WITH_HOST) && status !== 'stopped')
    return { state: 'stopping', stateText: null };
  if (operation?.kind === SAVE && status !== 'saved') return { state: 'saving', stateText: null };
  switch (status) {
    case 'crashed':
      return { state: status, stateText: 'Its process ended without having been asked to.' };
    case 'saved':
      return {
        state: status,
        stateText: isDue ? dueText(pool) : 'Its memory is kept: it goes on from there when it is started.',
      };
    case 'missing':
      return { state: status, stateText: missingText(record) };
    case 'unknown':
      return { state: status, stateText: reason ?? 'It has not been read yet.' };
    case 'stopped':
      return { state: status, stateText: isDue ? dueText(pool) : null };
    default:
      return { state: status, stateText: null };
  }
}

function cdOf({ record: { spec }, cd }: VmFacts): Vm['cd'] {
  if (spec.cdPath === null) return null;
  return { imageId: cd?.id ?? null, name: cd?.name ?? posix.basename(spec.cdPath) };
}

export function vmDocument(facts: VmFacts): Vm {
  const { record, settings, operation, pool, nodeId } = facts;
  const { id, name, plugin, cpus, memoryBytes, disk, virtType, user, createdAt } = record;
  return {
    topology: record.spec.topology ?? null,
    ...{ firmware: kindOf(record.spec), tpm: record.spec.tpm === true },
    ...{ devices: record.spec.devices ?? 'virtio', cpuModel: record.spec.cpuModel ?? null },
    ...{ id, name, plugin, cpus, memoryBytes, disk, virtType, user, createdAt, nodeId },
    addresses: [...new Set([...facts.addresses, ...facts.guestAddresses])],
    guestAddresses: facts.guestAddresses.filter((address) => !facts.addresses.includes(address)),
    diskBytes: promisedDiskBytes(record.spec),
    disks: disksOf(record.spec).map(({ slot, path, sizeBytes }) => ({
      slot,
      file: posix.basename(path),
      sizeBytes,
    })),
    adopted:
      record.spec.adopted?.disks.map(({ target, source, sizeBytes }) => ({ target, source, sizeBytes })) ??
      null,
    isTemplate: record.spec.isTemplate === true,
    ...{ basedOn: facts.basedOn, linked: facts.linked },
    cards: facts.cards.map(({ slot, mac, bridge = null }) => ({ slot, mac, bridge })),
    bootOrder: bootOrderOf(record.spec),
    cd: cdOf(facts),
    ...stateOf(facts),
    image: { id: record.imageId, name: record.imageName },
    pool: pool && { guid: pool.guid, label: pool.label },
    folder: (pool && record.spec.folder) || null,
    operationId: operation?.id ?? null,
    protected: settings.isProtected,
    ...{ tags: settings.tags, notes: settings.notes },
    autostart: {
      ...{ on: settings.autostart, order: settings.startOrder, delaySeconds: settings.startDelaySeconds },
      error: settings.turnText,
    },
    hostStop: {
      ...{ seconds: settings.hostStopSeconds, otherwise: settings.hostStopThen },
      startsAgain: settings.startsAgain,
    },
    failedOperationId: record.failedOperationId,
  };
}
