/** Virtual machines, as pages and scripts see them, and what may be sent about them. */
import { z } from 'zod';
import { LONGEST_CLOUD_CONFIG, VM_EXPORT_FORMATS } from '../vm-limits';
import { MOST_VOLUMES, VOLUME_FILESYSTEMS } from '../vm-volumes';
import { vmHasWish, type VmHasView } from './vm-has';
import type { VmHostStop } from './vm-host-stop';
import type { VmAutostart } from './vm-settings';

/**
 * What the user's operations made of a machine, and what its engine says now. crashed: its process ended without having been
 * asked to. saved: off, with its memory kept. missing: its engine does not know it any more. unknown: the engine does not answer.
 */
export const VM_STATES = [
  'creating',
  'failed-to-start',
  'removing',
  'starting',
  'running',
  'paused',
  'stopping',
  'stopped',
  'saving',
  'saved',
  'crashed',
  'missing',
  'unknown',
] as const;
export type VmState = (typeof VM_STATES)[number];

export interface VmDiskView {
  /** From 1 on; stays with it. */
  slot: number;
  /** In the machine's folder. */
  file: string;
  sizeBytes: number;
}

export interface VmAdoptedDiskView {
  /** `vda` */
  target: string;
  /** A path, or what it is instead. */
  source: string;
  /** null: nobody tells. */
  sizeBytes: number | null;
}

export interface VmCardView {
  /** From 1 on; stays with it. */
  slot: number;
  /** Lower case, with colons. */
  mac: string;
  /** Name of the host's bridge that it is plugged into; null: it shares the host's network (NAT). */
  bridge: string | null;
}

/** `GET /api/v1/vms/{id}/disks` */
export interface VmDiskUse extends VmDiskView {
  /** Absolute. */
  path: string;
  /** Of the pool, that its file takes now; null: the file is not there. */
  takenBytes: number | null;
}

export interface Vm extends VmHasView {
  /** UUID; of its domain too. */
  id: string;
  name: string;
  /** The plugin that runs it. */
  plugin: string;
  state: VmState;
  /** Why it is in this state, where that is not plain; null otherwise. */
  stateText: string | null;
  cpus: number;
  /** How its CPUs are arranged; null: each of them is a socket of its own. */
  topology: VmTopologyView | null;
  memoryBytes: number;
  /** Of all its disks together. */
  diskBytes: number;
  /** The first one first. */
  disks: VmDiskView[];
  /** Cairn did not make it, and leaves its disks as they are; null: it did. */
  adopted: VmAdoptedDiskView[] | null;
  /** Its network cards, on the network of the host. */
  cards: VmCardView[];
  /** What it looks for a system in, in this order: `disk-1`, `cd`, `card-1`, by their slots. */
  bootOrder: string[];
  /** In its drive; null: nothing. */
  cd: {
    /** null: its image is not in the list any more. */
    imageId: string | null;
    name: string;
  } | null;
  /** What the first one began as. */
  disk: 'overlay' | 'copy' | 'empty' | 'linked';
  /** It is never started: others may lie above its disk. */
  isTemplate: boolean;
  /** The template that its disk lies above; null: it needs none. */
  basedOn: { id: string; name: string } | null;
  /** Names of the machines that lie above its disk. */
  linked: string[];
  /** qemu: the processor does not help, it is slow. */
  virtType: 'kvm' | 'qemu';
  /** The image that it was made from, also when that is gone; both are empty when nobody knows. */
  image: { id: string; name: string };
  pool: { guid: string; label: string } | null;
  /** Absolute; null while its pool is not known. */
  folder: string | null;
  /** IPv4 and IPv6 that it is known to have now; none while it is off. */
  addresses: string[];
  /** Those of them that only its guest tells (by the agent inside); the others were given by the host. */
  guestAddresses: string[];
  /** Account that cloud-init makes; null: it gets none. */
  user: string | null;
  /** Words of people's own, in natural order. */
  tags: string[];
  notes: string;
  /** It cannot be removed before somebody takes its protection away. */
  protected: boolean;
  /** Whether it starts with the host. */
  autostart: VmAutostart & {
    /** Why it could not be started when the host was; null: it could, or was not to be. */
    error: string | null;
  };
  /** What becomes of it when the host goes down. */
  hostStop: VmHostStop;
  nodeId: string;
  /** Live operation on this machine. */
  operationId: string | null;
  /** The operation that failed to create it: retry it. */
  failedOperationId: string | null;
  createdAt: number;
}

/** sockets × cores × threads are the CPUs; cores of each socket, threads of each core. */
export const vmTopology = z.strictObject({ sockets: z.number(), cores: z.number(), threads: z.number() });
export type VmTopologyView = z.infer<typeof vmTopology>;

/** The guest mounts it at `mountPoint` when it is made with cloud-init; an empty `label` becomes `data-2` and so on. */
const volume = z.strictObject({
  sizeBytes: z.number(),
  filesystem: z.enum(VOLUME_FILESYSTEMS).default('none'),
  label: z.string().max(200).default(''),
  mountPoint: z.string().max(1_000).default(''),
});
const guid = z.uuid().transform((value) => value.toLowerCase());
const ipTexts = z.array(z.string().max(300)).max(16).default([]);
/** What cloud-init gives a network card; one without addresses asks by DHCP. */
export const cardIp = z.strictObject({
  /** Of the card, from 1 on. */
  slot: z.int().min(1).default(1),
  /** With the length of the network, such as `192.168.1.20/24`. */
  addresses: ipTexts,
  /** One of IPv4 and one of IPv6 at most. */
  gateways: ipTexts,
  dns: ipTexts,
  search: ipTexts,
});
export type CardIp = z.infer<typeof cardIp>;
const login = {
  user: z.string().max(200),
  /** A line of authorized_keys(5) each. */
  sshKeys: z.array(z.string().max(10_000)).max(50).default([]),
  /** Installed at the first start, by the system's own package manager. */
  packages: z.array(z.string().max(1_000)).max(200).default([]),
  /** More of cloud-config, in YAML. It is written into the plan: no place for secrets. */
  more: z.string().max(LONGEST_CLOUD_CONFIG).default(''),
  /** Of its cards; without this the guest asks by DHCP on the first one. */
  network: z.array(cardIp).max(16).optional(),
};
/** Where a network card is plugged in: a bridge of the host, or null for the network that it shares with it (NAT). */
const plug = {
  bridge: z.string().min(1).max(64).nullable().default(null),
  /** Without it, one is made for it. */
  mac: z.string().max(64).optional(),
};
export const vmCardWish = z.strictObject(plug);
export type VmCardWish = z.infer<typeof vmCardWish>;
const machine = {
  name: z.string().max(1_000),
  /** null: none, it begins with an empty disk and nothing in its drive. */
  imageId: z.string().min(1).max(200).nullable(),
  poolGuid: guid,
  cpus: z.number(),
  /** Without it each CPU is a socket of its own. */
  topology: vmTopology.nullable().optional(),
  memoryBytes: z.number(),
  /** Of the first disk; without it as large as the image and what `diskFreeBytes` says, in whole gibibytes. */
  diskBytes: z.number().nullable().optional(),
  /** How much there is to be on it besides what the image brings; without it what is usual. */
  diskFreeBytes: z.number().nullable().optional(),
  /** overlay: its disk holds what differs from the image, which has to stay. copy: all of it. */
  disk: z.enum(['overlay', 'copy']).default('overlay'),
  /** Secondary volumes, on the pool of the first: disk 2 and so on. */
  disks: z.array(volume).max(MOST_VOLUMES).default([]),
  /** Its network cards; without this it gets one that shares the host's network. */
  cards: z.array(vmCardWish).max(16).optional(),
  ...vmHasWish,
  /** A VM plugin; without it the first that there is. */
  plugin: z.string().min(1).max(64).optional(),
};
/** `POST /api/v1/vms`, `vms.preview` and `vms.create`. Asked twice with the same id, it is the same machine. */
export const vmCreateRequest = z.strictObject({
  id: guid.optional(),
  ...machine,
  cloudInit: z.strictObject({ ...login, password: z.string().max(1_000).optional() }).optional(),
});
export type VmCreateRequest = z.infer<typeof vmCreateRequest>;
export type VmCreateRequestInput = z.input<typeof vmCreateRequest>;

/** The same as it is kept for a retry: the password itself is in no request that is written down. */
export const vmPlanRequest = z.strictObject({
  id: guid,
  ...machine,
  cloudInit: z.strictObject({ ...login, hasPassword: z.boolean() }).optional(),
});
export type VmPlanRequest = z.infer<typeof vmPlanRequest>;

export const vmRequest = z.strictObject({ vmId: guid });
/** `DELETE /api/v1/vms/{id}?forGood=true`: at once, without a way back; else it is kept for a while. */
export const vmRemoveRequest = z.strictObject({ vmId: guid, forGood: z.boolean().default(false) });
/** `GET /api/v1/vms/{id}/wait?goal=address&seconds=60`. address: on, and one is known. */
export const vmWaitRequest = z.strictObject({
  vmId: guid,
  goal: z.enum(['on', 'address']).default('on'),
  seconds: z.coerce.number().int().min(1).max(86_400).default(600),
});
export type VmWaitRequest = z.infer<typeof vmWaitRequest>;
export interface VmWaitLine {
  text: string;
  /** Of the last line: how it ended. */
  end: 'reached' | 'missed' | null;
}

/** `POST /api/v1/vms/{id}/clone`. Asked twice with the same `cloneId`, it is the same clone; on the pool of the machine, unless another is named. */
export const vmCloneRequest = z.strictObject({
  vmId: guid,
  cloneId: guid,
  name: z.string().max(1_000),
  poolGuid: guid.optional(),
  /** linked: of a template, on its pool: its disk holds what differs from that one's, which has to stay. */
  disk: z.enum(['copy', 'linked']).default('copy'),
});
export type VmCloneRequest = z.infer<typeof vmCloneRequest>;
/** `GET /api/v1/vms/{id}/cloud-init`: the files of its seed as they are; never a password, of which only a hash was given. */
export interface VmCloudInit {
  /** null: it got no seed. */
  files: { name: 'user-data' | 'meta-data' | 'network-config'; text: string }[] | null;
}
/** `POST /api/v1/vms/{id}/export`: an image called `<name>.<format>`; on the pool of the machine, unless another is named. */
export const vmExportRequest = z.strictObject({
  vmId: guid,
  imageId: guid,
  name: z.string().max(1_000),
  poolGuid: guid.optional(),
  format: z.enum(VM_EXPORT_FORMATS).default('qcow2'),
});
/** `PUT /api/v1/vms/{id}/template` and DELETE. */
export const vmTemplateRequest = z.strictObject({ vmId: guid, value: z.boolean() });
/** `PUT /api/v1/vms/{id}/size`: of a machine that is off. `topology` null: each CPU is a socket of its own; without it: as it is. */
export const vmResizeRequest = z.strictObject({
  ...{ vmId: guid, cpus: z.number(), memoryBytes: z.number() },
  topology: vmTopology.nullable().optional(),
});
/** `POST /api/v1/vms/{id}/network-cards` */
export const vmCardAddRequest = z.strictObject({ vmId: guid, ...plug });
/** `PUT /api/v1/vms/{id}/network-cards/{slot}`: plugged in elsewhere. */
export const vmCardMoveRequest = z.strictObject({
  ...{ vmId: guid, slot: z.int().min(1), bridge: plug.bridge.unwrap() },
});
/** `DELETE /api/v1/vms/{id}/network-cards/{slot}` */
export const vmCardRequest = z.strictObject({ vmId: guid, slot: z.int().min(1) });
/** `PUT /api/v1/vms/{id}/cd` and DELETE: an ISO image into its drive, null for none. */
export const vmCdRequest = z.strictObject({ vmId: guid, imageId: z.string().min(1).max(200).nullable() });
/** `PUT /api/v1/vms/{id}/boot-order`: `disk-1`, `cd`, `card-1`; what is not named is not started from. */
export const vmBootRequest = z.strictObject({ vmId: guid, order: z.array(z.string().max(100)).max(100) });
/** `POST /api/v1/vms/{id}/disks`: an empty one. */
export const vmDiskAddRequest = z.strictObject({ vmId: guid, sizeBytes: z.number() });
/** `DELETE /api/v1/vms/{id}/disks/{slot}`: with what is on it. */
export const vmDiskRequest = z.strictObject({ vmId: guid, slot: z.int().min(1) });
/** `PUT /api/v1/vms/{id}/disks/{slot}/size`: larger, whether it is on or off. */
export const vmDiskGrowRequest = z.strictObject({
  ...{ vmId: guid, slot: z.int().min(1), sizeBytes: z.number() },
});
export const LONGEST_GRACE_SECONDS = 3_600;
/** `graceSeconds` 0: it is switched off at once. */
export const vmStopRequest = z.strictObject({
  vmId: guid,
  graceSeconds: z.int().min(0).max(LONGEST_GRACE_SECONDS).default(60),
});
