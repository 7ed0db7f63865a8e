/** The operations of this appliance: asked for once, answered at once with an id, from then on owned by the server. */
import { randomUUID } from 'node:crypto';
import { uptime } from 'node:os';
import type { Look, LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { Actor } from '$lib/shared/wire/session';
import type { Operation, OutputLine } from '$lib/shared/wire/operations';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import { AppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Feed } from '../events/feed';
import type { Host } from '../host/types';
import type { Logger } from '../log';
import { lookAlone } from './alone';
import { createCrashPoints } from './crash-points';
import { definitionOf, own, publish, runForward, takeBack, type Engine } from './engine';
import { createJournal, type NewStep, type OperationRow } from './journal';
import { confirmCodeOf, planHash, previewOf, scriptOf, stepText } from './plan-text';
import { EVERYTHING } from './locks';
import { recoverAll } from './recovery';
import { sweep } from './sweeper';
import type { Operations, OutputCommand, Prepared, StartOptions } from './types';
import { operationView, pastNoReturn } from './view';

const RECENT_IN_FEED = 50;

export interface OperationsOptions {
  db: Db;
  host: Host;
  /** Core and plugin looks. */
  look: (look: Look) => Promise<LookResult>;
  bus: Bus;
  feed: Feed;
  clock: Clock;
  /** How long the machine has been running, milliseconds; of the kernel unless told. */
  sinceBootMs?: () => number;
  config: Pick<Config, 'recordsDir' | 'crashAt' | 'leaseMs' | 'keepOperations' | 'keepDays'>;
  log: Logger;
  /** Before something is destroyed. @throws AppError reauth_required */
  requireFresh?: (actor: Actor) => void;
}

/** Who asks when nobody does: Cairn at its start, and the clock. */
const UNWATCHED = ['cairn', 'schedule'];
const UNWATCHED_MS = 7 * 24 * 3_600_000;

const actorName = (actor: Actor): string => (actor.kind === 'api-key' ? `api:${actor.name}` : actor.name);

export function createOperations(options: OperationsOptions): Operations {
  const { db, host, clock, config, bus, feed, log } = options;
  const journal = createJournal(db);
  const engine: Engine = {
    host,
    journal,
    bus,
    clock,
    feed,
    log,
    look: async (look) => (look.look === 'alone' ? lookAlone(journal, look.args) : options.look(look)),
    crash: createCrashPoints(config.crashAt),
    recordsDir: config.recordsDir,
    leaseMs: config.leaseMs,
    sinceBootMs: options.sinceBootMs ?? (() => uptime() * 1_000),
    waitStepMs: 250,
    waitMostMs: 5_000,
    progress: new Map(),
    attempts: 4,
    closed: false,
    definitions: new Map(),
    workers: new Map(),
    changed: (id) => publish(engine, id),
  };
  let stopping = false;

  function renewLeases(): void {
    try {
      journal.renewLeases([...engine.workers.keys()], clock.now() + config.leaseMs);
    } catch (error) {
      // A full disk: workers go on and fail at their next commit, where it is told to the user.
      log.error({ error }, 'leases could not be renewed');
    }
  }
  const leaseTimer = setInterval(renewLeases, Math.max(100, Math.floor(config.leaseMs / 3)));
  leaseTimer.unref();

  const view = (row: OperationRow): Operation =>
    operationView(row, journal.steps(row.id), engine.progress.get(row.id) ?? null);
  for (const row of journal.page({ limit: RECENT_IN_FEED })) feed.put('operations', row.id, view(row));
  for (const row of journal.live()) feed.put('operations', row.id, view(row));

  /** The feed holds what lives and the newest that ended; older ones are paged from the journal. */
  function trimFeed(): void {
    const recent = journal.shownIds(RECENT_IN_FEED);
    for (const id of feed.ids('operations')) if (!recent.has(id)) feed.remove('operations', id);
  }
  const stopTrimming = bus.on('operation.ended', trimFeed);

  function rowOf(id: string): OperationRow {
    const row = journal.operation(id);
    if (!row) throw new AppError('operation_not_found', `There is no operation ${id}.`);
    return row;
  }

  function refuseHeldLock(held: { lock: string; operationId: string }): never {
    const holder = operations.get(held.operationId);
    throw new AppError('locked', `"${holder.title}" works on this now (${holder.percent} %).`, {
      details: {
        lock: held.lock,
        operationId: holder.id,
        title: holder.title,
        percent: holder.percent,
        state: holder.state,
      },
      remedy:
        holder.state === 'needs-attention'
          ? 'Decide what becomes of that operation first.'
          : 'Wait until it has ended, or cancel it.',
    });
  }

  function checkConfirmation({ kind, actor, confirmCode: code }: StartOptions, prepared: Prepared): void {
    const wanted = confirmCodeOf(kind, prepared);
    if (wanted === (code || null)) {
      if (wanted !== null) options.requireFresh?.(actor);
      return;
    }
    const { title, steps, erases, loses, notes } = previewOf(host, kind, prepared);
    const details = {
      ...{ confirmCode: wanted, title, steps: steps.map((step) => ({ ...step })), loses, notes },
      erases: erases.map((erasure) => ({ ...erasure })),
    };
    if (!code) throw new AppError('confirm_required', undefined, { details });
    throw new AppError('confirm_stale', undefined, { details });
  }

  /** Record, plan, steps and locks in one transaction, before any command. */
  function insert(start: StartOptions, prepared: Prepared): string {
    const definition = definitionOf(engine, start.kind);
    const id = randomUUID();
    const now = clock.now();
    const rows: NewStep[] = prepared.steps.map((step, index) => {
      const { command, undo } = stepText(host, step);
      return {
        operationId: id,
        index,
        name: step.name,
        title: step.title,
        run: step.run,
        undo: step.undo,
        look: step.look,
        destroys: step.destroys ?? [],
        command,
        undoText: undo,
        state: 'pending',
      };
    });
    journal.transaction((tx) => {
      const held = journal.heldLock(tx, [...prepared.locks, EVERYTHING]);
      if (held) refuseHeldLock(held);
      journal.insert(
        tx,
        {
          id,
          kind: start.kind,
          title: prepared.title,
          subjectType: prepared.subject.type,
          subjectId: prepared.subject.id,
          subjectLabel: prepared.subject.label,
          state: 'running',
          evidence: [],
          request: start.request,
          prepared,
          planHash: planHash(start.kind, prepared),
          onInterrupt: definition.onInterrupt,
          requestedBy: actorName(start.actor),
          createdAt: now,
          deadlineAt: now + definition.deadlineMs,
          leaseUntil: now + config.leaseMs,
          retryOf: start.retryOf ?? null,
        },
        rows,
        prepared.locks,
      );
      definition.record.begin(tx, id, prepared);
    });
    return id;
  }

  const operations: Operations = {
    define(definition) {
      if (engine.definitions.has(definition.kind))
        throw new TypeError(`operation kind ${definition.kind} is defined twice`);
      engine.definitions.set(definition.kind, definition);
    },
    isDefined: (kind) => engine.definitions.has(kind),
    async preview(kind, request) {
      return previewOf(host, kind, await definitionOf(engine, kind).prepare(request));
    },
    async start(start) {
      if (stopping) throw new AppError('stopping');
      const prepared = await definitionOf(engine, start.kind).prepare(start.request);
      checkConfirmation(start, prepared);
      const id = insert(start, prepared);
      publish(engine, id);
      engine.crash.at('recorded', { kind: start.kind });
      void own(engine, id, (signal) => runForward(engine, id, signal));
      return operations.get(id);
    },
    get: (id) => view(rowOf(id)),
    page(page) {
      const rows = journal.page({ ...page, limit: page.limit + 1 });
      const items = rows.slice(0, page.limit).map(view);
      return { items, nextBefore: rows.length > page.limit ? (items.at(-1)?.seq ?? null) : null };
    },
    latest(kind, subjectId) {
      const row = journal.latest(kind, subjectId);
      return row ? view(row) : null;
    },
    unwatchedFailures: () => journal.lastFailures(UNWATCHED, clock.now() - UNWATCHED_MS).map(view),
    holder(lock) {
      const id = journal.lockHolder(lock);
      // What lives is in the feed, as it was last committed.
      return id === null ? null : (feed.get('operations', id) ?? operations.get(id));
    },
    holderId: (lock) => journal.lockHolder(lock),
    cancel(id, actor) {
      const row = rowOf(id);
      const current = view(row);
      if (!current.canCancel) {
        const why =
          current.state !== 'running'
            ? `It is ${current.state} already.`
            : current.cancelRequested
              ? 'It is being cancelled already.'
              : 'What it removes is partly gone: it can only be finished.';
        throw new AppError('operation_wrong_state', why, { details: { state: current.state } });
      }
      journal.transaction((tx) => journal.update(tx, id, { cancelRequestedAt: clock.now() }));
      journal.addEvidence(id, `Cancelled by ${actorName(actor)}.`);
      publish(engine, id);
      engine.workers.get(id)?.abort.abort(new AppError('cancelled', `Cancelled by ${actorName(actor)}.`));
      return operations.get(id);
    },
    async retry(id, actor) {
      const row = rowOf(id);
      if (!view(row).canRetry)
        throw new AppError(
          'operation_wrong_state',
          'Only an operation that failed or was cancelled can be retried.',
        );
      return operations.start({
        kind: row.kind,
        request: row.request,
        actor,
        retryOf: id,
        confirmCode: await retryCode(row),
      });
    },
    async resolve(id, decision, actor) {
      const row = rowOf(id);
      if (row.state !== 'needs-attention')
        throw new AppError('operation_wrong_state', 'It does not wait for a decision.');
      journal.addEvidence(
        id,
        `${actorName(actor)} decided: ${decision === 'try-again' ? 'look again and go on' : 'leave things as they are'}.`,
      );
      if (decision === 'leave-as-is') {
        journal.transaction((tx) => {
          // A change that cannot be taken back has happened: the record follows it, or it would tell of drives that left.
          if (row.onInterrupt === 'continue' && pastNoReturn(row.onInterrupt, journal.steps(id)))
            definitionOf(engine, row.kind).record.succeed(tx, id, row.prepared);
          journal.end(
            tx,
            id,
            'failed',
            clock.now(),
            row.error ?? { code: 'undo_failed', message: row.evidence.at(-1) ?? '', remedy: null },
          );
        });
        publish(engine, id);
        bus.emit('operation.ended', { id });
        return operations.get(id);
      }
      const goesBack =
        row.onInterrupt === 'take-back' ||
        journal.steps(id).some((step) => step.state === 'undoing' || step.state === 'undone');
      const error = row.error ? new AppError(row.error.code, row.error.message) : new AppError('interrupted');
      if (goesBack && !pastNoReturn(row.onInterrupt, journal.steps(id)))
        void own(engine, id, () => takeBack(engine, id, error));
      else {
        journal.transaction((tx) => journal.update(tx, id, { state: 'running', error: null }));
        void own(engine, id, (signal) => runForward(engine, id, signal));
      }
      publish(engine, id);
      return operations.get(id);
    },
    outputs(id, { after = 0, limit = 1_000 }) {
      rowOf(id);
      return journal.outputs(id, after, limit).map((row): OutputLine => ({
        id: row.id,
        stepIndex: row.stepIndex,
        commandId: row.commandId,
        stream: row.stream,
        text: row.text,
        at: row.at,
      }));
    },
    commands(id) {
      const names = new Map(journal.steps(id).map((step) => [step.index, step.name]));
      const lines = Map.groupBy(journal.outputs(id, 0, 100_000), (line) => line.commandId);
      return journal.commands(id).map((row): OutputCommand => ({
        id: row.id,
        stepIndex: row.stepIndex,
        step: names.get(row.stepIndex) ?? '',
        phase: row.phase,
        argv: row.argv,
        startedAt: row.startedAt,
        endedAt: row.endedAt,
        exitCode: row.exitCode,
        signal: row.signal,
        lines: (lines.get(row.id) ?? []).map(({ stream, text, at }) => ({ stream, text, at })),
      }));
    },
    script: (id) => scriptOf(host, rowOf(id).title, journal.steps(id)),
    previewScript: (preview) =>
      [
        '#!/bin/sh',
        `# ${preview.title}`,
        'set -eu',
        '',
        ...preview.steps.map((step, index) => `# ${index + 1}. ${step.title}\n${step.command}\n`),
      ].join('\n'),
    recover: (only = () => true) => recoverAll(engine, only),
    async sweep() {
      await sweep(engine, { operations: config.keepOperations, days: config.keepDays });
      trimFeed();
    },
    async wait(id) {
      await engine.workers.get(id)?.finished;
      return operations.get(id);
    },
    async stop(drainMs) {
      stopping = true;
      // One that is alone may wait for this very end; what it has not done yet is in the journal.
      const alone = journal.lockHolder(EVERYTHING);
      const running = [...engine.workers].flatMap(([id, { finished }]) => (id === alone ? [] : [finished]));
      // What does not end in time is left to the journal: the next start gives it its verdict.
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        Promise.all(running),
        new Promise((resolve) => (timer = setTimeout(resolve, drainMs))),
      ]);
      clearTimeout(timer);
      engine.closed = true;
      clearInterval(leaseTimer);
      stopTrimming();
    },
  };

  /** A retry asks for the same thing on what is there now. It never destroys more than the plan that was confirmed. */
  async function retryCode(row: OperationRow): Promise<string | null> {
    if (row.prepared.erases.length === 0) return null;
    const prepared = await definitionOf(engine, row.kind).prepare(row.request as JsonObject);
    const confirmed = new Map(
      row.prepared.erases.map((erasure) => [erasure.driveId, erasure.content.join('\n')]),
    );
    const same = prepared.erases.every(
      (erasure) => confirmed.get(erasure.driveId) === erasure.content.join('\n'),
    );
    return same ? confirmCodeOf(row.kind, prepared) : null;
  }

  return operations;
}
