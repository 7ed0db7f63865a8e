/**
 * Operations that a program asks for and a person decides about. A proposal keeps only the request: its plan is made anew
 * when somebody looks at it and when it is approved, so nothing is begun that was planned for drives of yesterday.
 */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '$lib/shared/json';
import type { PlanPreview } from '$lib/shared/wire/operations';
import type { Proposal } from '$lib/shared/wire/proposals';
import type { Actor } from '$lib/shared/wire/session';
import { areaOf, requireRole } from '../auth/authorise';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import { AppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Operations } from '../operations/types';
import { createProposalStore, type ProposalRow } from './store';

export interface Proposals {
  /** Newest first. */
  list(): Proposal[];
  /** @throws AppError not_found for what is no operation on one of these nouns; what the plan is refused for; scope_missing; too_many_proposals */
  propose(actor: Actor, request: { kind: string; request: JsonObject; note: string }): Promise<Proposal>;
  /** The plan as it would be now. @throws AppError not_found and what the plan is refused for */
  preview(id: string): Promise<PlanPreview>;
  /** @throws AppError not_found | proposal_decided | forbidden | confirm_required and those of the operation */
  approve(id: string, actor: Actor, confirmCode: string | null): Promise<Proposal>;
  /** @throws AppError not_found | proposal_decided */
  reject(id: string, actor: Actor): Proposal;
  cleanUp(): void;
}

const SHOWN = 50;
/** Nobody reads more; a program that proposes without end is told so. */
const MOST_WAITING = 100;
const KEEP_MS = 90 * 86_400_000;
/** Changes of the host's own network are for administrators. */
const ADMIN_KINDS = /^network\./;
const NOUN_OF: Record<string, string> = {
  ...{ pool: 'pools', drive: 'drives', snapshot: 'snapshots', sandbox: 'drives' },
  ...{ image: 'images', vm: 'vms', network: 'networks' },
};

/** What has a way of its own, with rights and questions of its own (updates, plugins, certificates), goes no other way. */
const canBeProposed = (kind: string): boolean => Object.hasOwn(NOUN_OF, kind.split('.')[0] ?? '');

const viewOf = ({ request: _request, ...view }: ProposalRow): Proposal => view;

export function createProposals(parts: {
  db: Db;
  bus: Bus;
  clock: Clock;
  operations: Operations;
}): Proposals {
  const { bus, clock, operations } = parts;
  const store = createProposalStore(parts.db);
  const changed = (): void => bus.emit('proposals.changed', {});
  function need(id: string): ProposalRow {
    const row = store.get(id);
    if (!row) throw new AppError('not_found', 'There is no such proposal.');
    return row;
  }
  function waiting(id: string): ProposalRow {
    const row = need(id);
    if (row.state !== 'waiting') throw new AppError('proposal_decided');
    return row;
  }
  function requireKind(kind: string): void {
    if (!canBeProposed(kind) || !operations.isDefined(kind))
      throw new AppError('not_found', `There is no operation "${kind}" that can be proposed.`);
  }
  /** A key that may change only machines proposes nothing about storage. */
  function requireArea({ scopes, name }: Actor, kind: string): void {
    const area = areaOf(NOUN_OF[kind.split('.')[0] ?? ''] ?? '');
    const areas = (scopes ?? []).filter((scope) => !['plan', 'read', 'metrics'].includes(scope));
    if (areas.length > 0 && !areas.some((scope) => scope === area))
      throw new AppError('scope_missing', `The key ${name} does not have the scope "${area ?? kind}".`);
  }
  return {
    list: () => store.latest(SHOWN).map(viewOf),
    async propose(actor, { kind, request, note }) {
      requireKind(kind);
      requireArea(actor, kind);
      if (store.waiting() >= MOST_WAITING)
        throw new AppError('too_many_proposals', `${MOST_WAITING} proposals wait for a decision already.`);
      const { title } = await operations.preview(kind, request);
      const row: ProposalRow = {
        ...{ id: randomUUID(), kind, request, title, note },
        ...{ proposedBy: actor.name, createdAt: clock.now(), state: 'waiting' },
        ...{ decidedBy: null, decidedAt: null, operationId: null },
      };
      store.insert(row);
      changed();
      return viewOf(row);
    },
    preview(id) {
      const { kind, request } = waiting(id);
      requireKind(kind);
      return operations.preview(kind, request);
    },
    async approve(id, actor, confirmCode) {
      const { kind, request } = waiting(id);
      // Also of one that an earlier version took.
      requireKind(kind);
      requireRole(ADMIN_KINDS.test(kind) ? 'admin' : 'operator', actor);
      // Decided before it begins: two people who approve at once begin it once.
      const decided = { decidedBy: actor.name, decidedAt: clock.now() };
      if (!store.decide(id, 'waiting', { state: 'approved', ...decided, operationId: null }))
        throw new AppError('proposal_decided');
      try {
        const operation = await operations.start({ kind, request, actor, confirmCode });
        store.decide(id, 'approved', { state: 'approved', ...decided, operationId: operation.id });
      } catch (error) {
        store.decide(id, 'approved', {
          state: 'waiting',
          decidedBy: null,
          decidedAt: null,
          operationId: null,
        });
        throw error;
      } finally {
        changed();
      }
      return viewOf(need(id));
    },
    reject(id, actor) {
      waiting(id);
      const decided = { decidedBy: actor.name, decidedAt: clock.now(), operationId: null };
      if (!store.decide(id, 'waiting', { state: 'rejected', ...decided }))
        throw new AppError('proposal_decided');
      changed();
      return viewOf(need(id));
    },
    cleanUp: () => store.removeDecided(clock.now() - KEEP_MS),
  };
}
