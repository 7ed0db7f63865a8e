/** Is what a plugin module gave a plugin of this version? Asked of built-in and third-party ones alike. */
import { z } from 'zod';
import type { Plugin } from '$lib/plugin-api/sdk';

const method = z.custom<(...args: never[]) => unknown>(
  (value) => typeof value === 'function',
  'must be a function',
);
const identifier = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be kebab-case');
const base = { label: z.string().min(1), help: z.string(), layouts: z.array(z.string()).optional() };

const field = z.discriminatedUnion('type', [
  z.looseObject({
    ...base,
    type: z.literal('select'),
    default: z.string(),
    choices: z
      .array(z.looseObject({ value: z.string(), label: z.string(), help: z.string().optional() }))
      .min(1),
  }),
  z.looseObject({ ...base, type: z.literal('boolean'), default: z.boolean() }),
  z.looseObject({ ...base, type: z.literal('text'), default: z.string(), maxLength: z.int().positive() }),
  z.looseObject({
    ...base,
    type: z.literal('integer'),
    default: z.int(),
    min: z.int(),
    max: z.int(),
  }),
  z.looseObject({ ...base, type: z.literal('secret'), maxLength: z.int().positive() }),
]);

const common = {
  api: z.literal(1, 'is made for another version of the plugin API; this Cairn speaks version 1'),
  id: identifier,
  name: z.string().min(1).max(60),
  version: z.string().min(1).max(40),
  description: z.string().max(500),
  programs: z.array(z.string().regex(/^\/[^\0]+$/, 'must be an absolute path')),
  check: method,
  create: method,
  destroy: method,
  status: method,
  watch: z
    .object({ program: z.string(), argv: z.array(z.string()), needs: z.string().startsWith('/') })
    .optional(),
  looks: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,63}$/), method).optional(),
};

const storagePlugin = z.looseObject({
  ...common,
  kind: z.literal('storage'),
  young: z.literal(true).optional(),
  layouts: z
    .array(
      z.looseObject({
        id: identifier,
        title: z.string().min(1),
        description: z.string(),
        minDrives: z.int().min(0),
        maxDrives: z.int().min(0).nullable(),
        tolerance: method,
      }),
    )
    .min(1),
  options: z.record(z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/), field),
  minimumDriveBytes: z.int().min(0),
  usableBytes: method,
  problems: method.optional(),
  sourceOf: method.optional(),
  pollMs: z.int().min(1_000).optional(),
  mount: method.optional(),
  unmount: method.optional(),
  rename: method.optional(),
  roles: z.array(z.enum(['data', 'spare', 'cache', 'log'])).optional(),
  refusal: method.optional(),
  expand: method.optional(),
  replace: method.optional(),
  replacementBytes: method.optional(),
  removeDrive: method.optional(),
  addDrive: method.optional(),
  reAdd: method.optional(),
  startScrub: method.optional(),
  stopScrub: method.optional(),
  startBalance: method.optional(),
  stopBalance: method.optional(),
  clearErrors: method.optional(),
  release: method.optional(),
  find: method.optional(),
  peek: method.optional(),
  snapshots: z
    .looseObject({
      ...{ list: method, create: method, destroy: method, rollBack: method },
      ...{ obstacle: method.optional(), measure: method.optional() },
    })
    .optional(),
  usage: method.optional(),
});

const vmPlugin = z.looseObject({
  ...common,
  kind: z.literal('vm'),
  acceleration: method,
  start: method,
  stop: method,
  reset: method.optional(),
  pause: method.optional(),
  resume: method.optional(),
  memory: z
    .looseObject({ folder: z.string().startsWith('/'), save: method, restore: method, discard: method })
    .optional(),
  resize: z.looseObject({ facts: method, plan: method }).optional(),
  shelve: z.looseObject({ read: method, forget: method, recall: method }).optional(),
  snapshots: z
    .looseObject({ folders: method, read: method, take: method, restore: method, delete: method })
    .optional(),
  template: z.looseObject({ make: method, unmake: method }).optional(),
  adopt: z.looseObject({ read: method, keep: method, giveUp: method }).optional(),
  cloneWhy: method.optional(),
  disks: z
    .looseObject({ most: method, sizeOf: method, grow: method, add: method, remove: method })
    .optional(),
  cards: z.looseObject({ most: z.int().min(1), macOf: method, add: method, remove: method }).optional(),
  cd: z.looseObject({ read: method, change: method }).optional(),
  console: method.optional(),
  definition: method.optional(),
  usage: method.optional(),
});
const plugin = z.discriminatedUnion('kind', [storagePlugin, vmPlugin]);

/**
 * @param folder name of the plugin's folder; its id must be the same
 * @returns the plugin itself (not a copy: methods may use `this`)
 * @throws Error that names every place where the shape is wrong
 */
export function checkShape(candidate: unknown, folder: string): Plugin {
  const result = plugin.safeParse(candidate);
  if (!result.success)
    throw new Error(
      result.error.issues
        .map((problem) => `${problem.path.map(String).join('.') || 'the plugin'}: ${problem.message}`)
        .join('; '),
    );
  if (result.data.id !== folder)
    throw new Error(`id: "${result.data.id}" is not the name of its folder, "${folder}"`);
  return candidate as Plugin;
}
