/**
 * What Cairn knows of its host, as a file that lies on the pools themselves: enough to build the same system again when the
 * system disk is gone. No secret is in it, and no path that is not below a pool. Read with these schemas, so that a file
 * somebody else has written can be refused, and can never name what is not a pool's, a machine's or an image's.
 */
import { z } from 'zod';
import { VM_DEVICES } from '../vm-devices';

export const CONFIGURATION_FORMAT = 1;

const text = (longest: number) => z.string().max(longest);
const guid = z.uuid().transform((value) => value.toLowerCase());
/** Of plugins, layouts, channels, kinds. */
const word = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);
const bytes = z.number().int().nonnegative();
const time = z.number().int().nonnegative();
/** Below the root of a pool; no part of it leads up or nowhere. */
const within = text(1_000).refine(
  (path) => path !== '' && !path.split('/').some((part) => part === '' || part === '.' || part === '..'),
);
const mac = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);

const pool = z.object({
  ...{ guid, label: text(200), plugin: word, layout: word, options: z.record(z.string(), z.json()) },
  ...{ mountPath: text(1_000), wantMounted: z.boolean() },
  drives: z
    .array(
      z.object({ slot: z.number().int(), serial: text(200).nullable(), label: text(200), sizeBytes: bytes }),
    )
    .max(256),
});
const drive = z.object({
  ...{ id: text(300), serial: text(200).nullable(), model: text(200).nullable(), sizeBytes: bytes },
  ...{ bayLabel: text(200).nullable(), protectedByUser: z.boolean() },
  /** It was taken out of a pool, and is not to be used for another. */
  setAsideWhy: text(2_000).nullable().default(null),
});

/** Where its disks lie follows from its name: a machine of Cairn has a folder of its own below `machines` of its pool. */
export const configurationMachine = z.object({
  ...{ id: guid, name: text(100), plugin: word, cpus: z.number().int().min(1).max(1_024) },
  ...{ memoryBytes: bytes, virtType: z.enum(['kvm', 'qemu']), poolGuid: text(100) },
  disk: z.enum(['overlay', 'copy', 'empty', 'linked']),
  ...{ imageId: text(100), imageName: text(300), user: text(100).nullable(), createdAt: time },
  topology: z
    .object({ sockets: z.number().int(), cores: z.number().int(), threads: z.number().int() })
    .nullable(),
  /** By slot, from 1 on. */
  disks: z.array(z.object({ slot: z.number().int().min(1).max(64), sizeBytes: bytes })).max(64),
  cards: z
    .array(
      z.object({
        ...{ slot: z.number().int().min(1).max(64), mac },
        bridge: z
          .string()
          .regex(/^[A-Za-z0-9][\w.-]{0,14}$/)
          .optional(),
      }),
    )
    .max(64)
    .nullable(),
  hasSeed: z.boolean(),
  firmware: z.enum(['bios', 'uefi', 'uefi-secure']),
  devices: z.enum(VM_DEVICES).default('virtio'),
  cpuModel: text(64).nullable().default(null),
  ...{ tpm: z.boolean(), isTemplate: z.boolean(), basedOn: guid.nullable() },
  boot: z.array(word).max(16).nullable(),
  /** It was made by somebody else, and only run here: its disks lie where Cairn has no say. */
  isAdopted: z.boolean(),
  settings: z.object({
    ...{ isProtected: z.boolean(), autostart: z.boolean(), startOrder: z.number().int() },
    ...{ startDelaySeconds: z.number().int().nonnegative(), tags: z.array(text(100)).max(50) },
    ...{ notes: text(20_000), hostStopSeconds: z.number().int().nonnegative() },
    ...{ hostStopThen: z.enum(['switch-off', 'save']), startsAgain: z.boolean() },
  }),
});

const image = z.object({
  ...{ id: guid, name: text(300), kind: word, format: word, origin: word, poolGuid: guid, file: within },
  ...{ os: z.json().nullable(), arch: text(50).nullable(), checksum: z.json().nullable() },
  ...{ catalogId: text(200).nullable(), url: text(2_000).nullable(), defaultUser: text(100).nullable() },
  ...{ minDiskBytes: bytes.nullable(), minMemoryBytes: bytes.nullable(), sizeBytes: bytes.nullable() },
  createdAt: time,
});
const catalogEntry = z.object({
  ...{ id: text(200), name: text(300), kind: word, arch: text(50).nullable(), url: text(2_000) },
  ...{ checksum: text(2_000).nullable(), defaultUser: text(100).nullable() },
  ...{ minDiskBytes: bytes.nullable(), minMemoryBytes: bytes.nullable() },
  ...{ allowPrivate: z.boolean(), createdAt: time },
});
const schedule = z.object({
  ...{ id: text(300), kind: text(100), subjectId: text(200), cron: text(200), enabled: z.boolean() },
  ...{ settings: z.record(z.string(), z.json()), createdAt: time },
});
/** Of those that somebody wants to be left alone, or that a clock may remove. */
const snapshot = z.object({
  ...{ poolGuid: guid, name: text(300), madeAt: time, madeBy: text(200) },
  ...{ origin: z.enum(['person', 'schedule', 'roll-back', 'outside']), protected: z.boolean() },
});
const channel = z.object({
  ...{ id: text(100), kind: word, name: text(200), target: text(2_000), minSeverity: word },
  ...{ quietHours: z.json().nullable(), digestAt: text(10).nullable(), criticalAtOnce: z.boolean() },
  ...{ settings: z.record(z.string(), z.json()), createdAt: time },
  /** What has to be typed again. */
  secretsSet: z.array(text(100)).max(50),
});
const user = z.object({
  ...{ name: text(200), role: z.enum(['viewer', 'operator', 'admin']) },
  /** It signs in with codes of a phone as well. */
  secondFactor: z.boolean().default(false),
});
/** From somebody else: what it is was trusted by a person, and is to be looked at again. */
const plugin = z.object({
  ...{ id: word, version: text(100), sha256: z.string().regex(/^[0-9a-f]{64}$/) },
  ...{ source: text(1_000), enabled: z.boolean() },
});
/** Its files are kept on its pool until somebody wants them back, or does not. */
const removedVm = z.object({ name: text(100), pool: text(200), folder: text(1_000) });

const most = <T extends z.ZodType>(schema: T) => z.array(schema).max(5_000);
export const configurationContent = z.object({
  ...{ version: text(50), hostname: text(300), createdAt: time },
  /** Of the installation that wrote it, and a number that rises with each copy of it. */
  ...{ nodeId: guid, sequence: z.number().int().positive() },
  ...{ pools: most(pool), drives: most(drive), vms: most(configurationMachine), images: most(image) },
  ...{ catalogEntries: most(catalogEntry), schedules: most(schedule), snapshots: most(snapshot) },
  ...{ channels: most(channel), users: most(user), apiKeys: most(text(300)), bridges: most(text(100)) },
  ...{ plugins: most(plugin).default([]), removedVms: most(removedVm).default([]) },
  /** Where updates are asked for. */
  updateChannel: text(2_000).nullable().default(null),
  /** For what a certificate that somebody has put in its place is good. */
  certificate: text(300).nullable().default(null),
  settings: z.record(text(400), text(4_000)),
});
export type ConfigurationContent = z.infer<typeof configurationContent>;
export type ConfigurationMachine = ConfigurationContent['vms'][number];

/** The file. `sha256` is that of the content, written with sorted keys and no spaces. */
export const configurationFile = z.object({
  cairn: z.literal('configuration'),
  format: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  content: z.unknown(),
});

/** A copy that was found, whole. */
export interface ConfigurationCopy {
  /** SHA-256 of its content: the same copy on two pools is one. */
  id: string;
  hostname: string;
  version: string;
  createdAt: number;
  sequence: number;
  /** This installation wrote it. */
  isOwn: boolean;
  pools: string[];
  vms: string[];
  images: number;
  users: number;
  /** Labels of the pools that it lies on. */
  on: string[];
}
/** One that is there and cannot be used. */
export interface ConfigurationProblem {
  pool: string;
  file: string;
  why: string;
}
export interface ConfigurationPlace {
  guid: string;
  label: string;
  /** When the newest copy on it was written; null: none of this installation is there. */
  writtenAt: number | null;
  copies: number;
  /** Why none can be written to it now; null: it can. */
  why: string | null;
}
/** `GET /api/v1/configuration-copies` */
export interface ConfigurationCopies {
  /** The newest first, those of other installations before those of this one. */
  copies: ConfigurationCopy[];
  problems: ConfigurationProblem[];
  places: ConfigurationPlace[];
  /** Pools that are found and nobody has looked into: labels. */
  unseen: string[];
}
/** What pages and alerts are told of it. */
export interface ConfigurationState {
  /** When the newest copy that is on a pool was made. */
  writtenAt: number | null;
  /** Since when there is a pool that could hold one and none is fresh; null: all is well. */
  overdue: boolean;
  /** Why it could not be written the last time. */
  problem: string | null;
}

/** waiting, running: yet to be done. kept: it was here already. missing: what it needs is not here. */
export type RestoreItemState = 'waiting' | 'running' | 'done' | 'kept' | 'missing' | 'failed';
export interface RestoreItem {
  kind: 'pool' | 'vm' | 'settings';
  /** GUID of the pool, UUID of the machine. */
  id: string;
  label: string;
  state: RestoreItemState;
  /** What is to be done, or how it ended and what to do then. */
  text: string;
  /** That does or did it. */
  operationId: string | null;
}
export interface RestorePlan {
  copy: Omit<ConfigurationCopy, 'on'>;
  items: RestoreItem[];
  /** What has to be done by hand afterwards, a sentence each. */
  byHand: string[];
}
export interface Restore extends RestorePlan {
  startedAt: number;
  startedBy: string;
  /** null: it is at work. */
  endedAt: number | null;
}

/** Of a copy on a pool, by its checksum, or the text of a file. */
export const restoreRequest = z.strictObject({
  copy: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  text: z.string().optional(),
});
export type RestoreRequest = z.infer<typeof restoreRequest>;
