/** What a plugin answers at run time, held to the contract before anybody believes it. */
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type {
  Availability,
  FoundPool,
  KernelWork,
  PoolReading,
  PoolUsage,
  ScrubReading,
} from '$lib/plugin-api/storage';
import {
  VM_STATUSES,
  type Acceleration,
  type ConsoleEndpoint,
  type VmReading,
  type VmAddresses,
  type VmSnapshotsReading,
  type VmCdDrive,
  type VmUsage,
} from '$lib/plugin-api/vm';
import type { FirmwareOffer, VmFirmwareOffers } from '$lib/plugin-api/vm-extras';
import type { VmFound } from '$lib/plugin-api/vm-found';
import type { Json, JsonObject } from '$lib/shared/json';
import { HEALTHS, MEMBER_STATUSES, POOL_STATUSES } from '$lib/shared/states';

const bytes = z.number().min(0).nullable();
const text = z.string().max(10_000);

const availability: z.ZodType<Availability> = z.discriminatedUnion('available', [
  z.object({ available: z.literal(true) }),
  z.object({ available: z.literal(false), reason: text.min(1), remedy: text }),
]);
const work: z.ZodType<KernelWork> = z.object({
  kind: z.enum(['resync', 'rebuild', 'reshape', 'scrub', 'balance', 'evacuate']),
  title: text,
  percent: z.number().min(0).max(100).nullable(),
  bytesPerSecond: bytes,
  secondsLeft: z.number().min(0).nullable(),
  paused: z.boolean(),
});
const scrub: z.ZodType<ScrubReading> = z.object({
  endedAt: z.number().nullable(),
  state: z.enum(['finished', 'cancelled', 'interrupted']),
  errors: z.number().min(0),
  uncorrectable: z.number().min(0),
});
const reading: z.ZodType<PoolReading> = z.object({
  poolStatus: z.enum(POOL_STATUSES),
  health: z.enum(HEALTHS),
  healthText: text.nullable(),
  mounted: z.boolean(),
  sizeBytes: bytes,
  usedBytes: bytes,
  availableBytes: bytes,
  members: z.array(
    z.object({ driveId: z.string(), status: z.enum(MEMBER_STATUSES), detail: text.nullable() }),
  ),
  work: z.array(work).optional(),
  lastScrub: scrub.nullable().optional(),
});
const json: z.ZodType<Record<string, Json>> = z.record(z.string().max(64), z.json());
const foundPools: z.ZodType<FoundPool[]> = z.array(
  z.object({
    key: z.string().min(1).max(300),
    guid: z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'is no UUID in lower case'),
    label: text,
    layout: z.string().nullable(),
    options: json,
    facts: json,
    members: z.array(
      z.object({
        driveId: z.string(),
        slot: z.int().min(0),
        role: z.enum(['data', 'spare', 'cache', 'log']),
        status: z.enum(MEMBER_STATUSES),
      }),
    ),
    missing: z.array(z.object({ slot: z.int().min(0), text })),
    sizeBytes: bytes,
    description: text.min(1),
    byCairn: z.boolean(),
    mountedAt: z.string().nullable(),
    obstacle: text.nullable(),
    sealed: text.nullable().optional(),
  }),
);
const usage: z.ZodType<PoolUsage | null> = z
  .object({ sizeBytes: z.number().min(0), usedBytes: z.number().min(0), availableBytes: z.number().min(0) })
  .nullable();
const lookResult: z.ZodType<LookResult> = z.object({
  status: z.enum(['done', 'absent', 'partial', 'running', 'foreign']),
  evidence: text,
  percent: z.number().min(0).max(100).optional(),
});

const absolute = z.string().regex(/^\/[^\0]+$/);
const acceleration: z.ZodType<Acceleration> = z.discriminatedUnion('virtType', [
  z.object({ virtType: z.literal('kvm') }),
  z.object({ virtType: z.literal('qemu'), reason: text.min(1) }),
]);
const firmwareOffer: z.ZodType<FirmwareOffer> = z.union([
  z.object({ loaderPath: absolute, templatePath: absolute }),
  z.object({ reason: text.min(1), remedy: text.min(1) }),
]);
const CPU_MODEL = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
const firmwareOffers: z.ZodType<VmFirmwareOffers> = z.object({
  ...{ uefi: firmwareOffer, 'uefi-secure': firmwareOffer, tpm: availability },
  cpuModels: z.array(z.string().regex(CPU_MODEL)).max(500),
});
export const heldFirmware = (answer: unknown): VmFirmwareOffers =>
  held(firmwareOffers, 'firmware.read', answer);
const vmReadings: z.ZodType<VmReading[]> = z.array(
  z.object({ id: z.string().min(1).max(100), name: text, status: z.enum(VM_STATUSES) }),
);

const count = z.number().min(0);
const vmUsages: z.ZodType<VmUsage[]> = z.array(
  z.object({
    ...{ id: z.string().min(1).max(100), cpuNs: count, memoryBytes: count.nullable() },
    ...{ readBytes: count, writtenBytes: count, receivedBytes: count, sentBytes: count },
  }),
);
const vmAddresses: z.ZodType<VmAddresses[]> = z.array(
  z.object({
    id: z.string().min(1).max(100),
    addresses: z.array(z.union([z.ipv4(), z.ipv6()])).max(100),
  }),
);
const vmFound: z.ZodType<VmFound[]> = z.array(
  z.object({
    ...{
      id: z.string().min(1).max(100),
      name: text,
      cpus: z.int().min(1),
      memoryBytes: z.number().positive(),
    },
    ...{ virtType: z.enum(['kvm', 'qemu']), isTransient: z.boolean() },
    topology: z
      .object({ sockets: z.int().min(1), cores: z.int().min(1), threads: z.int().min(1) })
      .nullable(),
    firmware: z
      .object({ secure: z.boolean(), loaderPath: text, templatePath: text, nvramPath: text })
      .nullable(),
    tpm: z.boolean(),
    disks: z.array(
      z.object({
        ...{ target: text, source: text, path: text.nullable() },
        ...{ sizeBytes: count.nullable(), slot: z.int().min(1).nullable() },
      }),
    ),
    media: z.array(z.object({ target: text, path: text.nullable() })),
    cards: z.array(z.object({ mac: text, network: text, isOurs: z.boolean(), bridge: text.nullable() })),
    devices: z.literal('common').optional(),
    cpuModel: z.string().regex(CPU_MODEL).optional(),
  }),
);
const guestAddresses: z.ZodType<string[] | null> = z
  .array(z.union([z.ipv4(), z.ipv6()]))
  .max(100)
  .nullable();
const why: z.ZodType<string | null> = text.min(1).nullable();
const vmSnapshots: z.ZodType<VmSnapshotsReading> = z.object({
  snapshots: z.array(
    z.object({
      ...{ name: z.string().min(1).max(1_000), createdAt: count, description: text.nullable() },
      ...{ parent: text.nullable(), isCurrent: z.boolean(), wasIn: z.enum(['running', 'paused', 'off']) },
      ...{ memoryBytes: count.nullable() },
      ...{ restoreWhy: text.nullable(), deleteWhy: text.nullable() },
      size: z.object({ cpus: z.int().min(1), memoryBytes: z.number().positive() }),
    }),
  ),
  takeWhy: text.nullable(),
  strays: z.array(text),
  facts: json,
});
const consoleEndpoint: z.ZodType<ConsoleEndpoint | null> = z
  .object({ at: z.enum(['socket', 'terminal']), path: z.string().regex(/^\/[^\0]+$/) })
  .nullable();

function held<T>(schema: z.ZodType<T>, method: string, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (problem) => `${problem.path.map(String).join('.') || 'the answer'}: ${problem.message}`,
  );
  throw new Error(`${method} gave an answer that it must not give (${problems.slice(0, 3).join('; ')})`);
}

/** @throws Error that names what is wrong with the answer */
export const heldAvailability = (answer: unknown): Availability => held(availability, 'check', answer);
export const heldReading = (answer: unknown): PoolReading => held(reading, 'status', answer);
export const heldFound = (answer: unknown): FoundPool[] => held(foundPools, 'find', answer);
export const heldUsage = (answer: unknown): PoolUsage | null => held(usage, 'usage', answer);
export const heldLook = (name: string, answer: unknown): LookResult =>
  held(lookResult, `The look ${name}`, answer);
export const heldFacts = (answer: unknown): JsonObject => held(json, 'facts', answer);
const cdDrive: z.ZodType<VmCdDrive | null> = z
  .object({ config: z.string().nullable(), now: z.string().nullable() })
  .nullable();
export const heldCdDrive = (answer: unknown): VmCdDrive | null => held(cdDrive, 'cd', answer);
export const heldBytes = (answer: unknown): number => held(count, 'sizeOf', answer);
export const heldAcceleration = (answer: unknown): Acceleration => held(acceleration, 'acceleration', answer);
export const heldConsole = (answer: unknown): ConsoleEndpoint | null =>
  held(consoleEndpoint, 'console', answer);
export const heldDefinition = (answer: unknown): string =>
  held(
    z
      .string()
      .min(1)
      .max(1024 ** 2),
    'definition',
    answer,
  );
export const heldVmUsages = (answer: unknown): VmUsage[] => held(vmUsages, 'usage', answer);
export const heldVmAddresses = (answer: unknown): VmAddresses[] => held(vmAddresses, 'addresses', answer);
export const heldGuestAddresses = (answer: unknown): string[] | null =>
  held(guestAddresses, 'guestAddresses.read', answer);
export const heldVmReadings = (answer: unknown): VmReading[] => held(vmReadings, 'status', answer);
export const heldVmFound = (answer: unknown): VmFound[] => held(vmFound, 'adopt.read', answer);
export const heldVmSnapshots = (answer: unknown): VmSnapshotsReading =>
  held(vmSnapshots, 'snapshots.read', answer);
export const heldCloneWhy = (answer: unknown): string | null => held(why, 'cloneWhy', answer);
