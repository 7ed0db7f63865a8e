/**
 * What happened while Cairn was off. The one that runs leaves a sign of life every minute, with the drives and pools that it saw, and a
 * mark when it is stopped in order. The next start reads them: the boot id of the kernel tells whether the host went down too, the
 * mark tells whether that was in order. What recovery does, what has changed and what is raised then fill the report as they become known.
 */
import { isLive } from '$lib/shared/states';
import { isWorthSeeing, type BootCause, type BootPage, type BootReport } from '$lib/shared/wire/boots';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Drives } from '../drives/drive';
import { AppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Feed } from '../events/feed';
import type { Operations } from '../operations/types';
import type { Pools } from '../pools/pool';
import {
  findBoot,
  forgetBootsBefore,
  insertBoot,
  listBoots,
  readLife,
  updateBoot,
  writeLife,
  type Life,
} from './store';

export interface Boots {
  page(options: { before?: string | null | undefined; limit: number }): BootPage;
  /** @throws AppError boot_not_found */
  get(id: string): BootReport;
  /** Somebody has read it. @throws AppError boot_not_found */
  dismiss(id: string): BootReport;
  /** Once operations are read and before they are recovered. */
  start(): void;
  /** Drives and pools have been read: what has changed is known. */
  settled(): void;
  /** Every minute. */
  signOfLife(): void;
  /** The mark of an orderly stop. */
  stop(): void;
  cleanUp(): void;
}
export interface BootParts {
  db: Db;
  bus: Bus;
  feed: Feed;
  clock: Clock;
  version: string;
  bootId: string;
  drives: Pick<Drives, 'list'>;
  pools: Pick<Pools, 'list'>;
  operations: Pick<Operations, 'page' | 'get'>;
}

const KEEP_MS = 365 * 86_400_000;
/** What is raised later has nothing to do with the start. */
const ALERTS_MS = 5 * 60_000;

const TEXTS: Record<BootCause, string> = {
  first: 'Cairn runs here for the first time.',
  stopped: 'Cairn was stopped and started again; the host stayed on.',
  crashed: 'Cairn ended without being asked to, and was started again; the host stayed on.',
  'host-restarted': 'The host was shut down in order and started again.',
  'power-lost': 'The host went down without warning: a power cut, a reset, or a crash of its kernel.',
};

/** @param before what the one before left behind */
export function causeOf(before: Life | null, bootId: string): BootCause {
  if (!before) return 'first';
  if (before.bootId === bootId) return before.stoppedAt === null ? 'crashed' : 'stopped';
  return before.stoppedAt === null ? 'power-lost' : 'host-restarted';
}

/** What came and what went, by what both know. Pure. */
export function changesOf(
  before: Pick<Life, 'drives' | 'pools'>,
  now: Pick<Life, 'drives' | 'pools'>,
): Pick<BootReport, 'drives' | 'pools'> {
  const had = new Set(before.drives.map(({ id }) => id));
  const has = new Set(now.drives.map(({ id }) => id));
  return {
    drives: [
      ...before.drives
        .filter(({ id }) => !has.has(id))
        .map((drive) => ({ ...drive, change: 'gone' as const })),
      ...now.drives.filter(({ id }) => !had.has(id)).map((drive) => ({ ...drive, change: 'came' as const })),
    ],
    pools: before.pools.flatMap(({ guid, label, status }) => {
      const there = now.pools.find((pool) => pool.guid === guid);
      const state = there?.status ?? 'removed';
      return state === status ? [] : [{ guid, label: there?.label ?? label, before: status, now: state }];
    }),
  };
}

export function createBoots({
  db,
  bus,
  feed,
  clock,
  version,
  bootId,
  drives,
  pools,
  operations,
}: BootParts): Boots {
  const before = readLife(db);
  let report: BootReport | null = null;
  /** Until drives and pools have been read, those of before are the ones to compare with. */
  let seen: Pick<Life, 'drives' | 'pools'> = { drives: before?.drives ?? [], pools: before?.pools ?? [] };
  const unsubscribe: (() => void)[] = [];

  const publish = (): void => {
    for (const id of feed.ids('boots')) if (id !== report?.id) feed.remove('boots', id);
    if (report) feed.put('boots', report.id, report);
  };
  function change(part: Partial<BootReport>): void {
    if (!report) return;
    report = { ...report, ...part };
    updateBoot(db, report);
    publish();
  }
  const look = (): Pick<Life, 'drives' | 'pools'> => ({
    drives: drives
      .list()
      .filter(({ present, identity }) => present && identity === 'strong')
      .map(({ id, bayLabel, serial, model }) => ({ id, label: bayLabel ?? serial ?? model ?? id })),
    pools: pools
      .list()
      .filter(({ state }) => state !== 'creating' && state !== 'deleting')
      .map(({ guid, label, poolStatus, state }) => ({ guid, label, status: poolStatus ?? state })),
  });
  const write = (stoppedAt: number | null): void =>
    writeLife(db, { bootId, version, aliveAt: clock.now(), stoppedAt, ...seen });
  /** Of the report, as they are now. */
  function readOperations(): void {
    if (!report || report.operations.length === 0) return;
    change({
      operations: report.operations.map(({ id }) => {
        const { title, state, verdict } = operations.get(id);
        return { id, title, state, verdict };
      }),
    });
  }
  const get = (id: string): BootReport => {
    const found = /^\d{1,15}$/.test(id) ? findBoot(db, Number(id)) : null;
    if (!found) throw new AppError('boot_not_found', `There is no report ${id}.`);
    return found;
  };

  return {
    get,
    page({ before: older, limit }) {
      const rows = listBoots(db, older ? Number(older) : null, limit + 1);
      const items = rows.slice(0, limit);
      return { items, nextBefore: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    dismiss(id) {
      const found = get(id);
      const dismissed = { ...found, dismissedAt: found.dismissedAt ?? clock.now() };
      if (report?.id === id) change({ dismissedAt: dismissed.dismissedAt });
      else updateBoot(db, dismissed);
      return dismissed;
    },
    start() {
      const cause = causeOf(before, bootId);
      const startedAt = clock.now();
      const interrupted = operations.page({ limit: 200 }).items.filter(({ state }) => isLive(state));
      report = insertBoot(db, {
        ...{ startedAt, cause, text: TEXTS[cause], version },
        downSince: before ? (before.stoppedAt ?? before.aliveAt) : null,
        isApproximate: before !== null && before.stoppedAt === null,
        versionBefore: before && before.version !== version ? before.version : null,
        operations: interrupted.map(({ id, title, state, verdict }) => ({ id, title, state, verdict })),
        ...{ drives: [], pools: [], alerts: [], isComplete: false, dismissedAt: null },
      });
      write(null);
      publish();
      unsubscribe.push(
        bus.on(
          'operation.ended',
          ({ id }) => report?.operations.some((entry) => entry.id === id) && readOperations(),
        ),
        bus.on('alert.changed', ({ alert: { id, title, severity }, change: what }) => {
          if (!report || clock.now() - startedAt > ALERTS_MS || (what !== 'raised' && what !== 'resolved'))
            return;
          const others = report.alerts.filter((entry) => entry.id !== id);
          change({ alerts: [...others, { id, title, severity, change: what }] });
        }),
      );
    },
    settled() {
      const now = look();
      const changes = before ? changesOf(before, now) : { drives: [], pools: [] };
      seen = now;
      write(null);
      readOperations();
      change({ ...changes, isComplete: true });
      // Nobody has to click away what says nothing.
      if (report && !isWorthSeeing(report)) change({ dismissedAt: clock.now() });
    },
    signOfLife() {
      if (report?.isComplete) seen = look();
      write(null);
    },
    stop() {
      for (const end of unsubscribe.splice(0)) end();
      if (report) write(clock.now());
    },
    cleanUp: () => forgetBootsBefore(db, clock.now() - KEEP_MS),
  };
}
