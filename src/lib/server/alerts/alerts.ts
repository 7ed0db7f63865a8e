/**
 * Alerts: conditions that hold now. They are judged when something changed, never by the clock; the database keeps when
 * each was raised, so that a restart neither forgets one nor raises it again.
 */
import type { Alert, AlertList } from '$lib/shared/wire/alerts';
import type { Actor } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Drives } from '../drives/drive';
import type { DriveHealths } from '../drives/health';
import { AppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Feed } from '../events/feed';
import type { Logger } from '../log';
import type { News } from '../notifications/message';
import type { Notifications } from '../notifications/notifications';
import type { Operations } from '../operations/types';
import type { Plugins } from '../plugins/registry';
import type { Pools } from '../pools/pool';
import { certificateConditions } from './certificate-conditions';
import { channelConditions } from './channel-conditions';
import { configurationConditions } from './configuration-conditions';
import type { Condition, Judgement } from './condition';
import { healthConditions } from './drive-conditions';
import {
  operationConditions,
  pluginConditions,
  sourceConditions,
  thirdPartyConditions,
  unwatchedConditions,
} from './host-conditions';
import { judge, type Verdict, type Waiting } from './judge';
import { poolConditions } from './pool-conditions';
import { scheduleConditions } from './schedule-conditions';
import { updateConditions } from './update-conditions';
import { vmConditions } from './vm-conditions';
import {
  acknowledgeAlert,
  changeAlert,
  deleteResolvedBefore,
  insertAlert,
  openAlerts,
  resolveAlert,
  resolvedAlerts,
} from './store';

export interface Alerts {
  list(options: { before?: string | null | undefined; limit: number }): AlertList;
  /** Somebody has seen it: it stays, and calls no more. @throws AppError alert_not_found */
  acknowledge(id: string, actor: Actor): Alert;
  /** Begins to judge. Before, what was open at the last stop is shown as it was. */
  start(): void;
  stop(): void;
  /** By the clock: forgets what was resolved long ago. */
  cleanUp(): void;
}

export interface AlertParts {
  db: Db;
  bus: Bus;
  feed: Feed;
  clock: Clock;
  log: Logger;
  drives: Pick<Drives, 'list'>;
  driveHealth: Pick<DriveHealths, 'weekAgo'>;
  pools: Pick<Pools, 'list'>;
  operations: Pick<Operations, 'page' | 'unwatchedFailures'>;
  plugins: Pick<Plugins, 'list'>;
  /** Told in the transaction that changes the alerts. */
  notifications: Pick<Notifications, 'add' | 'troubles'>;
}

const KEPT_MS = 180 * 24 * 3_600_000;
/** Events come in bursts: an operation commits a dozen rows, a plugged drive is told of three times. */
const GATHER_MS = 50;
const MOST_LIVE = 200;

const newAlert = ({ settleMs: _, ...condition }: Condition, now: number): Alert => ({
  ...condition,
  ...{ raisedAt: now, changedAt: now, resolvedAt: null, acknowledgedAt: null, acknowledgedBy: null },
});

const worstFirst = (a: Alert, b: Alert): number =>
  Number(b.severity === 'critical') - Number(a.severity === 'critical') || b.raisedAt - a.raisedAt;

/** What people are told of: beginnings, ends, and what became worse. */
function newsOf({ raise, change, resolve }: Verdict, open: Alert[], now: number): News[] {
  const worse = change.flatMap(({ condition, dropAcknowledgement }): News[] => {
    const alert = open.find(({ id }) => id === condition.id);
    const { settleMs: _, ...words } = condition;
    return alert && dropAcknowledgement ? [{ alert: { ...alert, ...words }, event: 'worse' }] : [];
  });
  return [
    ...resolve.map((alert): News => ({ alert, event: 'resolved' })),
    ...worse,
    ...raise.map((condition): News => ({ alert: newAlert(condition, now), event: 'raised' })),
  ];
}

export function createAlerts(parts: AlertParts): Alerts {
  const { db, bus, feed, clock, log } = parts;
  const subscriptions: (() => void)[] = [];
  let waiting: Waiting = new Map();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Infinity;

  function publish(): Alert[] {
    const open = openAlerts(db);
    feed.replace(
      'alerts',
      open.map((alert) => ({ id: alert.id, value: alert })),
    );
    return open;
  }

  function judgement(open: Alert[]): Judgement {
    const pools = parts.pools.list();
    const plugins = parts.plugins.list();
    const severities = new Map(open.map((alert) => [alert.id, alert.severity]));
    const ofPools = poolConditions(
      pools,
      (id) => plugins.some((plugin) => plugin.id === id && plugin.available),
      (id) => severities.get(id) ?? null,
    );
    const ofDrives = healthConditions(parts.drives.list(), new Set(severities.keys()), (id) =>
      parts.driveHealth.weekAgo(id),
    );
    return {
      conditions: [
        ...ofPools.conditions,
        ...ofDrives.conditions,
        ...operationConditions(parts.operations.page({ limit: MOST_LIVE, live: true }).items),
        ...scheduleConditions(
          feed.ids('snapshots').flatMap((id) => feed.get('snapshots', id) ?? []),
          pools,
        ),
        ...vmConditions(feed.ids('vms').flatMap((id) => feed.get('vms', id) ?? [])),
        ...pluginConditions(plugins, pools),
        ...thirdPartyConditions(plugins),
        ...unwatchedConditions(parts.operations.unwatchedFailures()),
        ...channelConditions(parts.notifications.troubles()),
        ...certificateConditions(feed.get('system', 'system')?.certificate ?? null, clock.now()),
        ...configurationConditions(feed.get('system', 'system')?.configuration ?? null),
        ...updateConditions(feed.get('system', 'system')?.update ?? null, clock.now()),
        ...sourceConditions(feed.get('system', 'system')?.sources ?? []),
      ],
      unknown: (id) => ofPools.unknown(id) || ofDrives.unknown(id),
    };
  }

  function evaluate(): void {
    const open = openAlerts(db);
    const verdict = judge(open, judgement(open), waiting, clock.now());
    waiting = verdict.waiting;
    if (verdict.lookAgainMs !== null) evaluateIn(verdict.lookAgainMs);
    const { raise, change, resolve } = verdict;
    if (raise.length + change.length + resolve.length === 0) return;
    const now = clock.now();
    db.transaction((tx) => {
      for (const alert of resolve) resolveAlert(tx, alert, now);
      for (const { condition, dropAcknowledgement } of change)
        changeAlert(tx, condition, now, dropAcknowledgement);
      for (const condition of raise) insertAlert(tx, condition, now);
      parts.notifications.add(tx, newsOf(verdict, open, now));
    });
    const raised = new Set(raise.map((condition) => condition.id));
    const changed = new Set(change.map(({ condition }) => condition.id));
    for (const alert of resolve)
      bus.emit('alert.changed', { alert: { ...alert, resolvedAt: now }, change: 'resolved' });
    for (const alert of publish()) {
      if (raised.has(alert.id)) log.warn({ alert: alert.id }, alert.title);
      if (raised.has(alert.id)) bus.emit('alert.changed', { alert, change: 'raised' });
      else if (changed.has(alert.id)) bus.emit('alert.changed', { alert, change: 'changed' });
    }
  }

  /** The earliest of what was asked for; one timer for all. */
  function evaluateIn(ms: number): void {
    const at = performance.now() + ms;
    if (at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(() => {
      timerAt = Infinity;
      try {
        evaluate();
      } catch (error) {
        log.error({ error }, 'the conditions for alerts could not be judged');
      }
    }, ms);
  }
  const evaluateSoon = (): void => evaluateIn(GATHER_MS);

  publish();
  return {
    list({ before, limit }) {
      const found = resolvedAlerts(db, before ?? null, limit + 1);
      const resolved = found.slice(0, limit);
      const last = resolved.at(-1);
      return {
        open: openAlerts(db).toSorted(worstFirst),
        resolved,
        nextBefore: found.length > limit && last ? `${last.resolvedAt}:${last.id}` : null,
      };
    },
    acknowledge(id, actor) {
      const changed = acknowledgeAlert(db, id, actor.name, clock.now());
      const alert = publish().find((candidate) => candidate.id === id);
      if (!alert)
        throw new AppError('alert_not_found', 'There is no such alert; it may have been resolved meanwhile.');
      if (changed) bus.emit('alert.changed', { alert, change: 'acknowledged' });
      return alert;
    },
    start() {
      subscriptions.push(
        bus.on('pools.changed', evaluateSoon),
        bus.on('drives.changed', evaluateSoon),
        bus.on('drive.health', evaluateSoon),
        bus.on('operation.changed', evaluateSoon),
        bus.on('operation.ended', evaluateSoon),
        bus.on('snapshots.scheduled', evaluateSoon),
        bus.on('vms.changed', evaluateSoon),
        bus.on('source.changed', evaluateSoon),
        bus.on('certificate.changed', evaluateSoon),
        bus.on('configuration.changed', evaluateSoon),
        bus.on('updates.looked', evaluateSoon),
        bus.on('notifications.changed', evaluateSoon),
      );
      evaluateSoon();
    },
    stop() {
      for (const end of subscriptions) end();
      clearTimeout(timer);
    },
    cleanUp: () => deleteResolvedBefore(db, clock.now() - KEPT_MS),
  };
}
