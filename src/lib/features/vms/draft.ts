/** The new machine that somebody has begun to describe, kept in this browser; never its password. */
import { FIRMWARE_KINDS, type FirmwareKind } from '$lib/shared/firmware-kinds';
import { VM_DEVICES, type VmDevices } from '$lib/shared/vm-devices';
import type { TopologyText } from './size';
import type { IpDraft } from './ip-form.svelte';

const KEY = 'cairn-new-vm';

export interface Draft {
  id: string;
  stage: string;
  imageId: string | null;
  poolGuid: string | null;
  name: string;
  cpus: string;
  topology: TopologyText;
  memoryMib: string;
  diskGib: string;
  disk: 'overlay' | 'copy';
  user: string;
  keys: string;
  packages: string;
  more: string;
  /** Further disks; an older version has kept none. */
  volumes?: unknown;
  /** Not in one that an older version has left. */
  firmware?: FirmwareKind;
  tpm?: boolean;
  devices?: VmDevices;
  cpuModel?: string;
  bridge?: string;
  mac?: string;
  ip?: IpDraft;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTopology = (value: TopologyText | undefined): boolean =>
  value === null || (typeof value === 'object' && [value.sockets, value.cores, value.threads].every(isText));
const isIp = (value: unknown): value is IpDraft => {
  const ip = value as Partial<IpDraft> | null;
  return (
    typeof ip === 'object' &&
    ip !== null &&
    [ip.address, ip.gateway, ip.dns, ip.search].every(isText) &&
    (ip.way === 'dhcp' || ip.way === 'static')
  );
};
const isDraft = (value: unknown): value is Draft => {
  const draft = value as Partial<Draft> | null;
  return (
    typeof draft === 'object' &&
    draft !== null &&
    [draft.id, draft.stage, draft.name, draft.cpus, draft.memoryMib, draft.diskGib].every(isText) &&
    [draft.user, draft.keys, draft.packages, draft.more].every(isText) &&
    [draft.imageId, draft.poolGuid].every((one) => one === null || isText(one)) &&
    isTopology(draft.topology) &&
    [draft.bridge, draft.mac, draft.cpuModel].every((one) => one === undefined || isText(one)) &&
    (draft.firmware === undefined || FIRMWARE_KINDS.includes(draft.firmware)) &&
    (draft.tpm === undefined || typeof draft.tpm === 'boolean') &&
    (draft.devices === undefined || VM_DEVICES.includes(draft.devices)) &&
    (draft.ip === undefined || isIp(draft.ip)) &&
    (draft.disk === 'overlay' || draft.disk === 'copy')
  );
};

/** @returns null when there is none, or one that an older version has left */
export function keptDraft(storage: Pick<Storage, 'getItem'> = localStorage): Draft | null {
  try {
    const value: unknown = JSON.parse(storage.getItem(KEY) ?? 'null');
    return isDraft(value) ? value : null;
  } catch {
    return null; // not JSON, or no storage: there is nothing to go on with
  }
}
export function keepDraft(draft: Draft, storage: Pick<Storage, 'setItem'> = localStorage): void {
  try {
    storage.setItem(KEY, JSON.stringify(draft));
  } catch {
    // Full or switched off: then it ends with the page.
  }
}
export function dropDraft(storage: Pick<Storage, 'removeItem'> = localStorage): void {
  try {
    storage.removeItem(KEY);
  } catch {
    // There was none.
  }
}
