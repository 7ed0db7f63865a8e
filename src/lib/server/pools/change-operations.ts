/** The operations that change a pool that is there. Those that may wait for the kernel have days, and go on after a crash. */
import type { JsonObject } from '$lib/shared/json';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { PoolChangeRequest } from '$lib/shared/wire/requests';
import type { OperationDefinition, Operations, Prepared } from '../operations/types';
import type { Asked } from './create';
import type { PoolDeps } from './deps';
import { memberRecord, releaseRecord, workRecord } from './member-records';
import {
  prepareAddDrive,
  prepareExpand,
  prepareReAdd,
  prepareRemoveDrive,
  prepareReplace,
} from './prepare-members';
import { prepareRelease, prepareWork } from './prepare-upkeep';
import { showMounts } from './show-mounts';

const MINUTE_MS = 60_000;
/** A rebuild of large drives takes days. A timer of Node holds 24 at most; every program has a limit of its own. */
const REBUILD_LIMIT_MS = 20 * 24 * 60 * MINUTE_MS;

const KINDS = {
  expand: 'pool.expand',
  replace: 'pool.replace-drive',
  'remove-drive': 'pool.remove-drive',
  'add-drive': 'pool.add-drive',
  're-add': 'pool.re-add-drive',
  'start-scrub': 'pool.start-scrub',
  'stop-scrub': 'pool.stop-scrub',
  'start-balance': 'pool.start-balance',
  'stop-balance': 'pool.stop-balance',
  'clear-errors': 'pool.clear-errors',
  release: 'pool.release',
} as const satisfies Record<PoolChangeRequest['verb'], string>;

type Prepare = (deps: PoolDeps, request: JsonObject) => Promise<Prepared>;
const MEMBER_CHANGES = {
  expand: prepareExpand,
  replace: prepareReplace,
  'remove-drive': prepareRemoveDrive,
  'add-drive': prepareAddDrive,
  're-add': prepareReAdd,
} as const satisfies Partial<Record<PoolChangeRequest['verb'], Prepare>>;

export function defineChangeOperations(operations: Operations, deps: PoolDeps): void {
  const define = (
    verb: PoolChangeRequest['verb'],
    prepare: Prepare,
    rest: Omit<OperationDefinition, 'kind' | 'prepare'>,
  ): void => operations.define({ kind: KINDS[verb], prepare: (request) => prepare(deps, request), ...rest });
  for (const verb of ['expand', 'replace', 'remove-drive', 'add-drive', 're-add'] as const)
    define(verb, MEMBER_CHANGES[verb], {
      onInterrupt: 'continue',
      deadlineMs: REBUILD_LIMIT_MS,
      record: memberRecord(deps),
    });
  for (const verb of ['start-scrub', 'start-balance'] as const)
    define(verb, prepareWork(verb), {
      onInterrupt: 'take-back',
      deadlineMs: 10 * MINUTE_MS,
      record: workRecord(deps),
    });
  for (const verb of ['stop-scrub', 'stop-balance', 'clear-errors'] as const)
    define(verb, prepareWork(verb), {
      onInterrupt: 'finish',
      deadlineMs: 10 * MINUTE_MS,
      record: workRecord(deps),
    });
  define('release', prepareRelease, {
    onInterrupt: 'finish',
    deadlineMs: 10 * MINUTE_MS,
    record: releaseRecord(deps),
    beforeEnd: async () => showMounts(deps),
  });
}

const asJson = (request: PoolChangeRequest): JsonObject => JSON.parse(JSON.stringify(request)) as JsonObject;

export const previewChange = (operations: Operations, request: PoolChangeRequest): Promise<PlanPreview> =>
  operations.preview(KINDS[request.verb], asJson(request));

/** @throws AppError every issue at once; confirm_required | confirm_stale | locked | pool_wrong_state | not_supported */
export const changePoolBy = (
  operations: Operations,
  request: PoolChangeRequest,
  asked: Asked,
): Promise<Operation> =>
  operations.start({
    kind: KINDS[request.verb],
    request: asJson(request),
    actor: asked.actor,
    confirmCode: asked.confirmCode ?? null,
  });
