/** From a request to take, remove or go back to a snapshot to its plan. Nothing is changed. */
import type { Step } from '$lib/plugin-api/plan';
import type { PoolSpec, SnapshotReading } from '$lib/plugin-api/storage';
import type { JsonObject } from '$lib/shared/json';
import { autoName, canBeNamed, keptName, manualName, snapshotNameIssues } from '$lib/shared/snapshot-names';
import { SNAPSHOT_TIERS, type SnapshotTier } from '$lib/shared/snapshot-tiers';
import { requestIssues } from '$lib/shared/wire/requests';
import { z } from 'zod';
import { AppError, issue, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import type { PoolDeps } from '../pools/deps';
import { inputOf } from '../pools/spec';
import {
  isMounted,
  mountAgain,
  preparedOf,
  refuseWhileUsed,
  subjectOf,
  type ChangeInput,
} from '../pools/subject';
import { capable, readObstacle, readSnapshots } from './asking';
import { isProtected } from './store';

export interface SnapshotInput extends ChangeInput {
  snapshot: { name: string; origin: 'person' | 'schedule' | 'roll-back'; keepAs: string | null };
}
const poolGroupGuid = z.uuid().transform((value) => value.toLowerCase());
const name = z.string().min(1).max(200);
/** `tier`: only schedules say it; at the borders there is no such field. */
const createRequest = z.strictObject({
  poolGroupGuid,
  name: name.optional(),
  tier: z.enum(SNAPSHOT_TIERS).optional(),
});
const oneRequest = z.strictObject({ poolGroupGuid, name });

function parsed<T>(schema: z.ZodType<T>, request: JsonObject): T {
  const result = schema.safeParse(request);
  if (result.success) return result.data;
  throw issuesError(requestIssues(result.error));
}

async function mountedSubject(deps: PoolDeps, guid: string) {
  const subject = await subjectOf(deps, guid, ['ready']);
  const plugin = capable(subject.plugin);
  if (!isMounted(deps, subject.spec))
    throw new AppError('pool_wrong_state', `The pool "${subject.spec.label}" is not mounted.`, {
      remedy: 'Mount it first: its snapshots are looked at and changed while it is mounted.',
    });
  return { ...subject, plugin };
}

async function refuseObstacle(
  deps: PoolDeps,
  { plugin, spec }: Awaited<ReturnType<typeof mountedSubject>>,
  verb: 'create' | 'roll-back',
): Promise<void> {
  const why = await readObstacle(deps.plugins, plugin, spec, verb);
  if (why === null) return;
  const what = verb === 'create' ? 'have snapshots' : 'be rolled back';
  throw new AppError('not_supported', `The pool "${spec.label}" cannot ${what} as it is.`, { remedy: why });
}

function found(list: SnapshotReading[], wanted: string, label: string): SnapshotReading {
  const snapshot = list.find((one) => one.name === wanted);
  if (!snapshot) throw new AppError('snapshot_not_found', `The pool "${label}" has no snapshot "${wanted}".`);
  if (!canBeNamed(wanted))
    throw new AppError(
      'not_supported',
      `The name "${wanted}" was not given by Cairn, and cannot be used safely.`,
      {
        remedy: 'Rename or remove it in a shell.',
      },
    );
  return snapshot;
}

/** The pool only has to stay as it is, and may be in use otherwise; one snapshot at a time. */
const beside = (prepared: Prepared, guid: string): Prepared => ({
  ...prepared,
  locks: [usesLock(`pool:${guid}`), `snapshots:${guid}`],
});

function withSnapshot(prepared: Prepared, snapshot: SnapshotInput['snapshot']): Prepared {
  return { ...prepared, input: { ...prepared.input, snapshot: { ...snapshot } } };
}
export const snapshotOf = (prepared: Prepared): SnapshotInput['snapshot'] =>
  inputOf<SnapshotInput>(prepared).snapshot;

function newName(asked: string | undefined, tier: SnapshotTier | undefined, now: number): string {
  if (tier) return autoName(tier, now);
  if (asked === undefined) return manualName(now);
  const issues = snapshotNameIssues(asked);
  if (issues.length > 0) throw issuesError(issues);
  return asked;
}

export async function prepareCreate(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parsed(createRequest, raw);
  const snapshot = newName(request.name, request.tier, deps.clock.now());
  const subject = await mountedSubject(deps, request.poolGroupGuid);
  const { plugin, spec } = subject;
  await refuseObstacle(deps, subject, 'create');
  const list = await readSnapshots(deps.plugins, plugin, spec);
  if (list.some((one) => one.name === snapshot))
    throw issuesError([issue('snapshot_name_taken', `There is a snapshot "${snapshot}" already.`, 'name')]);
  const prepared = preparedOf(subject, {
    title: `Take the snapshot "${snapshot}" of pool "${spec.label}"`,
    steps: () => [...mountAgain(deps, subject), ...plugin.snapshots.create(spec, { name: snapshot })],
  });
  const origin = request.tier ? 'schedule' : 'person';
  return withSnapshot(beside(prepared, spec.guid), { name: snapshot, origin, keepAs: null });
}

export async function prepareDelete(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parsed(oneRequest, raw);
  const subject = await mountedSubject(deps, request.poolGroupGuid);
  const { plugin, spec } = subject;
  found(await readSnapshots(deps.plugins, plugin, spec), request.name, spec.label);
  if (isProtected(deps.db, spec.guid, request.name))
    throw new AppError('snapshot_protected', `The snapshot "${request.name}" is protected.`);
  const prepared = preparedOf(subject, {
    title: `Remove the snapshot "${request.name}" of pool "${spec.label}"`,
    steps: () => [...mountAgain(deps, subject), ...plugin.snapshots.destroy(spec, { name: request.name })],
    notes: [
      `What only the snapshot "${request.name}" still has is lost. The files of now and the other snapshots stay.`,
    ],
  });
  return withSnapshot(beside(prepared, spec.guid), { name: request.name, origin: 'person', keepAs: null });
}

/**
 * From the moment the pool is mounted again somebody may write to it: from there on nothing is taken back, or what was
 * written would go with it.
 */
function sealed(steps: Step[], mountPath: string): Step[] {
  const last = steps.findLastIndex(({ run }) => run.do === 'mount' && run.path === mountPath);
  return steps.map((step, index) => (index === last ? { ...step, undo: 'impossible' } : step));
}

/** A guest that goes on with what it remembers of other files than are there writes over what it finds. */
async function refuseUnderSleepers(deps: PoolDeps, { guid, label }: PoolSpec): Promise<void> {
  const names = (await deps.asleepOn?.(guid)) ?? [];
  if (names.length === 0) return;
  throw new AppError(
    'pool_sleepers',
    `${names.join(', ')} would go on with other disks than remembered: "${label}" has them as they were saved.`,
    {
      details: { machines: names },
    },
  );
}

export async function prepareRollBack(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parsed(oneRequest, raw);
  const subject = await mountedSubject(deps, request.poolGroupGuid);
  const { plugin, spec } = subject;
  const list = await readSnapshots(deps.plugins, plugin, spec);
  found(list, request.name, spec.label);
  await refuseObstacle(deps, subject, 'roll-back');
  await refuseWhileUsed(deps, spec);
  await refuseUnderSleepers(deps, spec);
  const keepAs = keptName(deps.clock.now());
  if (list.some((one) => one.name === keepAs))
    throw issuesError([issue('snapshot_name_taken', `There is a snapshot "${keepAs}" already.`, 'name')]);
  const prepared = preparedOf(subject, {
    title: `Roll pool "${spec.label}" back to the snapshot "${request.name}"`,
    steps: () => sealed(plugin.snapshots.rollBack(spec, { name: request.name, keepAs }), spec.mountPath),
    notes: [
      `Everything in the pool becomes as it was in "${request.name}". What is there now is not lost: it is kept whole as the snapshot "${keepAs}", until you remove that.`,
      'The pool is unmounted for a moment. The snapshot itself stays.',
    ],
  });
  return withSnapshot(prepared, { name: request.name, origin: 'roll-back', keepAs });
}
