/**
 * Guided replacement of a drive. What is kept is only what the person means to do; which step comes next follows from the
 * drives, the pool and the operation as they are, so that any browser can go on, also after a restart.
 */
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { PoolMember } from '$lib/shared/wire/pools';
import type { Replacement, ReplaceWay } from '$lib/shared/wire/replacements';
import type { PoolChangeRequestOf } from '$lib/shared/wire/requests';
import type { Actor } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Drives } from '../drives/drive';
import { AppError, issue, issuesError } from '../errors';
import type { Bus } from '../events/bus';
import type { Feed } from '../events/feed';
import type { Operations } from '../operations/types';
import type { Plugins } from '../plugins/registry';
import { changePoolBy, previewChange } from './change-operations';
import type { Asked } from './create';
import type { Pools } from './pool';
import { isReplaced, replacementDocument, whyNotSwap, type ReplacementFacts } from './replacement-document';
import {
  findReplacement,
  listReplacements,
  putReplacement,
  removeReplacement,
  type ReplacementRow,
} from './replacement-store';

export interface Replacements {
  /** @throws AppError guide_not_found */
  get(poolGuid: string): Replacement;
  /** Begins anew, also when one was begun before. @throws AppError not_a_member | pool_wrong_state | locked */
  begin(poolGuid: string, slot: number, actor: Actor): Replacement;
  /** @throws AppError guide_not_found | pool_wrong_state when the way would cost data */
  choose(poolGuid: string, change: { way?: ReplaceWay; freshId?: string | null }): Replacement;
  preview(poolGuid: string): Promise<PlanPreview>;
  /** Begins the rebuild with the plan that was shown. @throws AppError as every change of a pool */
  rebuild(poolGuid: string, asked: Asked): Promise<Operation>;
  /** Forgets it; what was done to drives stays. @throws AppError locked while the rebuild is at work */
  end(poolGuid: string): void;
  /** Drives and pools are known by then: who was there before a restart and is not now was pulled meanwhile. */
  start(): void;
  stop(): void;
}

export interface ReplacementParts {
  db: Db;
  bus: Bus;
  feed: Feed;
  clock: Clock;
  drives: Pick<Drives, 'list'>;
  pools: Pick<Pools, 'list' | 'get'>;
  plugins: Pick<Plugins, 'known'>;
  operations: Operations;
}

const nameOf = (actor: Actor): string => (actor.kind === 'api-key' ? `api:${actor.name}` : actor.name);

export function createReplacements(parts: ReplacementParts): Replacements {
  const { db, bus, feed, clock, drives, pools, plugins, operations } = parts;
  const subscriptions: (() => void)[] = [];

  /** The one that works on the pool and the new drive now, also when it was begun or tried again elsewhere; else the last one. */
  function operationOf({ poolGuid, freshId, operationId: last }: ReplacementRow): Operation | null {
    const atWork = freshId === null ? null : operations.holderId(`drive:${freshId}`);
    const operationId = atWork !== null && atWork === operations.holderId(`pool:${poolGuid}`) ? atWork : last;
    if (operationId === null) return null;
    try {
      return operations.get(operationId);
    } catch (error) {
      if (error instanceof AppError && error.code === 'operation_not_found') return null;
      throw error;
    }
  }

  function factsOf(row: ReplacementRow): ReplacementFacts {
    const all = pools.list();
    const pool = all.find(({ guid }) => guid === row.poolGuid) ?? pools.get(row.poolGuid);
    return {
      row,
      pool,
      drives: drives.list(),
      operation: operationOf(row),
      toleranceOf(guid) {
        const found = all.find((one) => one.guid === guid);
        if (!found) return null;
        const layout = plugins.known(found.plugin)?.layouts.find(({ id }) => id === found.layout);
        const count = found.members.filter(({ role }) => role === 'data').length;
        return { pool: found, tolerance: layout?.tolerance(count) ?? 0 };
      },
    };
  }

  /** When the right drive is out that is written down; a replacement whose drive left another way is over. */
  function settle(row: ReplacementRow): ReplacementRow | null {
    const facts = factsOf(row);
    const isMember = facts.pool.members.some(({ driveId }) => driveId === row.driveId);
    if (!isMember && !isReplaced(facts)) {
      removeReplacement(db, row.poolGuid);
      return null;
    }
    const isOut = !facts.drives.some(({ id, present }) => id === row.driveId && present);
    if (!isOut || row.pulledAt !== null || !row.here.includes(row.driveId)) return row;
    const settled = { ...row, pulledAt: clock.now() };
    putReplacement(db, settled);
    return settled;
  }

  function publish(): void {
    const values = listReplacements(db)
      .map(settle)
      .filter((row) => row !== null)
      .map((row) => replacementDocument(factsOf(row)));
    feed.replace(
      'replacements',
      values.map((value) => ({ id: value.id, value })),
    );
  }
  let publishing: NodeJS.Immediate | undefined;
  /** Many events of one moment, one document. */
  function publishSoon(): void {
    publishing ??= setImmediate(() => {
      publishing = undefined;
      publish();
    });
  }

  function rowOf(poolGuid: string): ReplacementRow {
    const row = findReplacement(db, poolGuid);
    if (row) return row;
    throw new AppError('guide_not_found', 'No drive of this pool is being replaced step by step.');
  }
  function write(row: ReplacementRow): Replacement {
    putReplacement(db, row);
    publish();
    return replacementDocument(factsOf(row));
  }
  function refuseWhileAtWork(poolGuid: string): void {
    const row = findReplacement(db, poolGuid);
    if (!row || replacementDocument(factsOf(row)).step !== 'rebuild') return;
    throw new AppError('locked', 'The rebuild is at work.', {
      remedy: 'Wait until it has ended, or cancel its operation.',
    });
  }

  /** @throws AppError not_a_member | pool_wrong_state */
  function memberOf(poolGuid: string, slot: number): PoolMember {
    const pool = pools.get(poolGuid);
    const member = pool.members.find((one) => one.slot === slot);
    if (!member)
      throw issuesError([
        issue('not_a_member', `The pool "${pool.label}" has no place ${slot + 1}.`, 'slot'),
      ]);
    const { allowed, why } = pool.verbs.replace;
    if (!allowed) throw new AppError('pool_wrong_state', why ?? 'No drive can be replaced now.');
    return member;
  }

  function requestOf(row: ReplacementRow): PoolChangeRequestOf<'replace'> {
    if (row.freshId === null) throw new AppError('pool_wrong_state', 'No new drive is chosen yet.');
    const { poolGuid, driveId, freshId } = row;
    return {
      ...{ verb: 'replace', poolGroupGuid: poolGuid, member: { id: driveId } },
      ...{ drive: { id: freshId }, setAside: true },
    };
  }

  function refuseChange(row: ReplacementRow, change: { way?: ReplaceWay; freshId?: string | null }): void {
    const facts = factsOf({ ...row, ...change });
    const why = change.way === 'swap' ? whyNotSwap(facts) : null;
    if (why) throw new AppError('pool_wrong_state', why);
    if (!change.freshId) return;
    const found = replacementDocument(facts).newcomers.find(({ driveId }) => driveId === change.freshId);
    if (!found)
      throw new AppError('drive_not_found', `There is no drive ${change.freshId} that could take the place.`);
    if (found.why) throw new AppError('pool_wrong_state', found.why, { remedy: 'Take another drive.' });
  }

  return {
    get: (poolGuid) => replacementDocument(factsOf(rowOf(poolGuid))),
    begin(poolGuid, slot, actor) {
      refuseWhileAtWork(poolGuid);
      const { driveId } = memberOf(poolGuid, slot);
      const here = drives
        .list()
        .filter(({ present }) => present)
        .map(({ id }) => id);
      const way = here.includes(driveId) ? 'beside' : 'swap';
      return write({
        ...{ poolGuid, slot, driveId, way, here, pulledAt: null, freshId: null, operationId: null },
        ...{ startedBy: nameOf(actor), startedAt: clock.now() },
      });
    },
    choose(poolGuid, change) {
      refuseWhileAtWork(poolGuid);
      const row = rowOf(poolGuid);
      refuseChange(row, change);
      return write({ ...row, ...change });
    },
    preview: async (poolGuid) => previewChange(operations, requestOf(rowOf(poolGuid))),
    async rebuild(poolGuid, asked) {
      const operation = await changePoolBy(operations, requestOf(rowOf(poolGuid)), asked);
      const row = findReplacement(db, poolGuid);
      if (row) write({ ...row, operationId: operation.id });
      return operation;
    },
    end(poolGuid) {
      refuseWhileAtWork(poolGuid);
      rowOf(poolGuid);
      removeReplacement(db, poolGuid);
      publish();
    },
    start() {
      publish();
      subscriptions.push(
        bus.on('drives.changed', publishSoon),
        bus.on('drive.health', publishSoon),
        bus.on('pools.changed', publishSoon),
        bus.on('operation.ended', publishSoon),
      );
    },
    stop() {
      clearImmediate(publishing);
      for (const end of subscriptions.splice(0)) end();
    },
  };
}
