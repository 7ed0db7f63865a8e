/** Is a plan what a plan has to be? Types are gone when a plugin is loaded, so it is looked at. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Action, Step } from '$lib/plugin-api/plan';
import { isCoreLook } from '../host/looks';

/** Every action there is. */
const ACTIONS = {
  ...{ exec: 1, 'make-directory': 1, 'remove-directory': 1, 'set-immutable': 1, 'move-directory': 1 },
  ...{ 'name-file': 1, mount: 1, unmount: 1, 'write-file': 1, 'remove-file': 1, 'list-folder': 1 },
  ...{ 'remove-download': 1, 'make-sparse-file': 1, 'attach-loop': 1, 'detach-loop': 1 },
  ...{ 'reread-partitions': 1, 'forget-partitions': 1, 'forget-btrfs': 1, 'save-areas': 1, 'write-areas': 1 },
  ...{ blink: 1, 'set-locate': 1, 'end-process': 1, wait: 1, download: 1, receive: 1 },
  ...{ 'write-manifest': 1, 'check-digests': 1, 'try-memory': 1 },
  ...{ 'copy-in': 1, 'unpack-release': 1, 'remove-release': 1, 'point-link': 1 },
  ...{ 'save-database': 1, 'be-alone': 1, 'start-anew': 1 },
} as const satisfies Record<Action['do'], 1>;

const argument = z.union([
  z.string().regex(/^[^\0]*$/, 'has a zero byte in it'),
  z.object({ drive: z.string().min(1), partition: z.int().min(0).optional() }),
  z.object({ array: z.string().min(1) }),
  z.object({ mapped: z.string().min(1) }),
]);
const action = z.union([
  z.looseObject({
    do: z.literal('exec'),
    program: z.string().startsWith('/', 'must be an absolute path'),
    argv: z.array(argument),
  }),
  z.looseObject({
    do: z
      .string()
      .refine((name) => name !== 'exec' && Object.hasOwn(ACTIONS, name), 'is no action that there is'),
  }),
]);
const step = z.looseObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be kebab-case'),
  title: z.string().min(1).max(300),
  run: action,
  undo: z.union([z.array(action), z.literal('nothing'), z.literal('impossible')], {
    error: "must be a list of actions, 'nothing' or 'impossible'",
  }),
  look: z.looseObject({ look: z.string().min(1), args: z.record(z.string(), z.json()) }, 'is missing'),
  destroys: z.array(z.string()).optional(),
});

const said = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the plan'} ${message}`)
    .join('; ');

/** @returns what is wrong with it; empty: nothing */
export function shapeProblems(plan: unknown): string[] {
  const parsed = z.array(step).safeParse(plan);
  if (!parsed.success) return [said(parsed.error)];
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(plan)), plan))
    return ['it is no plain data: the journal would give back something else'];
  return [];
}

/** Looks that nobody could do. */
export const unknownLooks = (id: string, looks: object | undefined, steps: Step[]): string[] =>
  steps.flatMap(({ name, look: { look } }) =>
    isCoreLook(look) ||
    (look.startsWith(`${id}/`) && looks && Object.hasOwn(looks, look.slice(id.length + 1)))
      ? []
      : [`step ${name}: nobody can do the look "${look}"`],
  );
