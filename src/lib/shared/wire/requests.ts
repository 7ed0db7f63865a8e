/** What may be sent, checked the same way by the form and by the server. Unknown fields are refused by name. */
import { z } from 'zod';
import type { Issue } from '../error-codes';
import { issueOf } from '../issue';
import { IMAGE_ARCHES, IMAGE_FORMATS, IMAGE_KINDS } from './images';
import type { Json } from '../json';

const json: z.ZodType<Json> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
);
const noControls = /^[^\p{Cc}]*$/u;
const guid = z.uuid().transform((value) => value.toLowerCase());

/** A drive by its stable id or by its serial, and what the user calls it. */
const driveChoice = z
  .strictObject({
    id: z.string().min(1).max(200).optional(),
    serial: z.string().min(1).max(200).optional(),
    label: z.string().max(64).regex(noControls, 'Control characters are not allowed.').optional(),
  })
  .refine((drive) => (drive.id === undefined) !== (drive.serial === undefined), {
    message: 'Name the drive by its id or by its serial, one of them.',
  });

/** `POST /api/v1/pools`, `pools.preview` and `pools.create`. Label and mount path have rules of their own: names.ts. */
export const poolCreateRequest = z.strictObject({
  poolGroupGuid: guid.optional(),
  label: z.string().max(1_000),
  plugin: z.string().min(1).max(64),
  layout: z.string().min(1).max(64),
  drives: z.array(driveChoice).max(256),
  options: z.record(z.string().max(64), json).default({}),
  mountPath: z.string().max(8_192).optional(),
});
export type PoolCreateRequest = z.infer<typeof poolCreateRequest>;
export type PoolCreateRequestInput = z.input<typeof poolCreateRequest>;

export const poolRequest = z.strictObject({ poolGroupGuid: guid });
export const poolEndProcessesRequest = z.strictObject({
  poolGroupGuid: guid,
  pids: z.array(z.number().int().min(1)).min(1).max(100),
});
export const poolRenameRequest = z.strictObject({ poolGroupGuid: guid, label: z.string().max(1_000) });

/** `POST /api/v1/found-pools/{id}/adopt`; without label and path it gets those that it is listed with. */
export const adoptRequest = z.strictObject({
  found: z.string().min(1).max(400),
  label: z.string().max(1_000).optional(),
  mountPath: z.string().max(8_192).optional(),
});
export const foundRequest = z.strictObject({ found: z.string().min(1).max(400) });

/** A member of a pool by its place, by the drive's stable id or by its serial: one of them. */
const memberChoice = z
  .strictObject({
    slot: z.int().min(0).optional(),
    id: z.string().min(1).max(200).optional(),
    serial: z.string().min(1).max(200).optional(),
  })
  .refine((member) => Object.values(member).filter((value) => value !== undefined).length === 1, {
    message: 'Name the member by its slot, its id or its serial, one of them.',
  });
export type MemberChoice = z.infer<typeof memberChoice>;

const of = <V extends string>(verb: V) => ({ verb: z.literal(verb), poolGroupGuid: guid });
/** `pools.change`, and the addresses of REST below a pool: what is to become of it. `verb` decides on the rest. */
export const poolChangeRequest = z.discriminatedUnion('verb', [
  z.strictObject({ ...of('expand'), drives: z.array(driveChoice).max(256) }),
  // Without `setAside` the old drive is set aside when it is gone or failing.
  z.strictObject({
    ...of('replace'),
    member: memberChoice,
    drive: driveChoice,
    setAside: z.boolean().optional(),
  }),
  z.strictObject({ ...of('remove-drive'), member: memberChoice }),
  z.strictObject({ ...of('add-drive'), drive: driveChoice, role: z.enum(['spare', 'cache', 'log']) }),
  z.strictObject({ ...of('re-add'), member: memberChoice }),
  z.strictObject(of('start-scrub')),
  z.strictObject(of('stop-scrub')),
  z.strictObject(of('start-balance')),
  z.strictObject(of('stop-balance')),
  z.strictObject(of('clear-errors')),
  z.strictObject(of('release')),
]);
export type PoolChangeRequest = z.infer<typeof poolChangeRequest>;
export type PoolChangeRequestOf<V extends PoolChangeRequest['verb']> = Extract<
  PoolChangeRequest,
  { verb: V }
>;

/** A form that is not complete yet: `pools.estimate`. */
export const estimateRequest = z.strictObject({
  plugin: z.string().min(1).max(64),
  layout: z.string().min(1).max(64),
  options: z.record(z.string().max(64), json).default({}),
  driveIds: z.array(z.string().max(200)).max(256),
});
export type EstimateRequest = z.infer<typeof estimateRequest>;

const MOST_DRIVES = 32;
const driveSizes = z.array(z.number().int().min(1).max(1e15)).max(MOST_DRIVES);
/** `pools.planCapacity`: drives that are there or that one thinks of buying, by their sizes. */
export const capacityRequest = z.strictObject({
  plugin: z.string().min(1).max(64),
  layout: z.string().min(1).max(64),
  options: z.record(z.string().max(64), json).default({}),
  now: driveSizes,
  then: driveSizes,
});
export type CapacityRequest = z.infer<typeof capacityRequest>;

/** Every complaint of a schema as an issue of ours, with the path of its field below `prefix`. */
export function requestIssues(error: z.ZodError, prefix = ''): Issue[] {
  return error.issues.flatMap((problem) => {
    const path = [...(prefix ? [prefix] : []), ...problem.path.map(String)];
    if (problem.code === 'unrecognized_keys')
      return problem.keys.map((key) =>
        issueOf('unknown_field', `${key} is not a known field.`, [...path, key].join('.')),
      );
    return [issueOf('invalid_input', problem.message, path.join('.'))];
  });
}

/** `POST /api/v1/images`: an entry of the catalog, or an address. */
export const downloadRequest = z
  .strictObject({
    catalogId: z.string().min(1).max(100).optional(),
    url: z.string().min(1).max(2_000).optional(),
    poolGuid: guid,
    name: z
      .string()
      .trim()
      .min(1)
      .max(64)
      .regex(noControls, 'Control characters are not allowed.')
      .optional(),
    file: z.string().min(1).max(200).optional(),
    kind: z.enum(IMAGE_KINDS).exclude(['ova']).optional(),
    format: z.enum(IMAGE_FORMATS).optional(),
    /** A SHA-256 or SHA-512 sum, or the address of a list that has it. */
    checksum: z.string().max(2_000).optional(),
    /** Also from this host and from private networks: administrators only. */
    allowPrivate: z.boolean().default(false),
  })
  .refine((request) => (request.catalogId === undefined) !== (request.url === undefined), {
    message: 'Name an entry of the catalog or an address, one of them.',
  });
export type DownloadRequest = z.infer<typeof downloadRequest>;
export type DownloadRequestInput = z.input<typeof downloadRequest>;
/** `POST /api/v1/images/{id}/convert`: to qcow2, on the same pool unless another one is named. */
export const convertRequest = z.strictObject({
  imageId: z.string().min(1).max(200),
  poolGuid: guid.optional(),
});

/** `POST /api/v1/uploads`: what is about to be sent, and where it goes. */
export const uploadRequest = z.strictObject({
  file: z.string().min(1).max(200),
  sizeBytes: z
    .number()
    .int()
    .min(1)
    .max(2 ** 50),
  poolGuid: guid,
  name: z.string().trim().min(1).max(64).regex(noControls, 'Control characters are not allowed.').optional(),
  /** A SHA-256 or SHA-512 sum; without it, the sender tells the SHA-256 in the end. */
  checksum: z
    .string()
    .regex(/^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})$/, 'A SHA-256 or SHA-512 sum in hexadecimal.')
    .optional(),
});
export type UploadRequest = z.infer<typeof uploadRequest>;
/** `POST /api/v1/images/{id}/content` */
export const uploadFinish = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** `POST /api/v1/catalog`: an entry of somebody's own; a change sends all of it. */
export const catalogEntryRequest = z.strictObject({
  name: z.string().trim().min(1).max(64).regex(noControls, 'Control characters are not allowed.'),
  kind: z.enum(IMAGE_KINDS).exclude(['ova']).default('cloud'),
  /** null: for any. */
  arch: z.enum(IMAGE_ARCHES).nullable().default(null),
  url: z.string().trim().min(1).max(2_000),
  /** A SHA-256 or SHA-512 sum, or the address of a list that has it. */
  checksum: z.string().trim().min(1).max(2_000).nullable().default(null),
  defaultUser: z.string().trim().min(1).max(32).nullable().default(null),
  minDiskBytes: z
    .number()
    .int()
    .min(0)
    .max(2 ** 50)
    .nullable()
    .default(null),
  minMemoryBytes: z
    .number()
    .int()
    .min(0)
    .max(2 ** 50)
    .nullable()
    .default(null),
  /** Also from this host and from private networks: administrators only. */
  allowPrivate: z.boolean().default(false),
});
export type CatalogEntryRequest = z.infer<typeof catalogEntryRequest>;
export const imageRequest = z.strictObject({ imageId: z.string().min(1).max(200) });
