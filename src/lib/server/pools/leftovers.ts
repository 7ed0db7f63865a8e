/** Removing an empty folder that an interrupted operation left behind. */
import { z } from 'zod';
import { looks, not } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { requestIssues } from '$lib/shared/wire/requests';
import { issue, issuesError } from '../errors';
import type { Operations, Prepared } from '../operations/types';
import type { Validate } from './validate';

export const REMOVE_LEFTOVER = 'pool.remove-leftover';
const leftoverRequest = z.strictObject({ path: z.string().max(8_192) });
const MINUTE_MS = 60_000;

function prepare(validate: Validate, raw: JsonObject): Promise<Prepared> {
  const parsed = leftoverRequest.safeParse(raw);
  if (!parsed.success) return Promise.reject(issuesError(requestIssues(parsed.error)));
  const { path } = parsed.data;
  if (!validate.leftovers().includes(path))
    return Promise.reject(
      issuesError([
        issue(
          'mount_path_invalid',
          `${path} is no empty folder that was left behind.`,
          'path',
          'Compare again.',
        ),
      ]),
    );
  return Promise.resolve({
    input: { path },
    title: `Remove the empty folder ${path}`,
    subject: { type: 'host', id: 'host', label: path },
    steps: [
      {
        name: 'unprotect-folder',
        title: 'Let the folder be changed',
        run: { do: 'set-immutable', path, on: false },
        undo: [{ do: 'set-immutable', path, on: true }],
        look: looks.immutable(path, false),
      },
      {
        name: 'remove-folder',
        title: `Remove the empty folder ${path}`,
        run: { do: 'remove-directory', path },
        undo: [{ do: 'make-directory', path, mode: 0o755 }],
        look: not(looks.directory(path)),
      },
    ],
    locks: [`path:${path}`],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [],
  });
}

export const defineLeftoverOperation = (operations: Operations, validate: Validate): void =>
  operations.define({
    kind: REMOVE_LEFTOVER,
    onInterrupt: 'finish',
    deadlineMs: MINUTE_MS,
    prepare: (request) => prepare(validate, request),
    record: {
      begin: () => undefined,
      succeed: () => undefined,
      takenBack: () => undefined,
      needsYou: () => undefined,
    },
  });
