/** Alerts with a real database, feed and bus; the documents they are judged from are given. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAlerts, type Alerts } from '$lib/server/alerts/alerts';
import type { AlertParts } from '$lib/server/alerts/alerts';
import { createNotifications, type Notifications } from '$lib/server/notifications/notifications';
import { appRouter } from '$lib/server/trpc/app-router';
import { channelRequest } from '$lib/shared/wire/notifications';
import type { Pool } from '$lib/shared/wire/pools';
import { actorOf, contextOf, createServiceBench, type ServiceBench } from '../support/services';
import { httpSink } from '../support/sinks';

const GUID = '7b1f0a52-3c1d-4e8a-9f60-000000000042';
const healthy = {
  ...{ guid: GUID, label: 'tank', plugin: 'btrfs', state: 'ready', poolStatus: 'active', health: 'healthy' },
  ...{ healthText: null, mounted: true, operationId: null, usedBytes: 1, availableBytes: 9, readAt: 1 },
  members: [
    {
      slot: 1,
      driveId: 'wwn-1',
      serial: 'WD-1',
      label: 'WD',
      sizeBytes: 1e12,
      status: 'active',
      detail: null,
    },
  ],
} as unknown as Pool;
const degraded: Pool = {
  ...healthy,
  poolStatus: 'degraded',
  health: 'critical',
  healthText: 'Drive WD-1 is not there.',
  // Two things to do, so two alerts: its missing drive alone is one.
  ...{ usedBytes: 9, availableBytes: 1 },
  members: healthy.members.map((member) => ({ ...member, status: 'missing' })),
};

let bench: ServiceBench;
let pools: Pool[];
let alerts: Alerts;
let notifications: Pick<Notifications, 'add' | 'troubles'>;

function begin(): Alerts {
  const parts = {
    ...bench.services,
    db: bench.db,
    pools: { list: () => pools },
    drives: { list: () => [] },
    driveHealth: { weekAgo: () => ({}) },
    plugins: { list: () => [{ id: 'btrfs', available: true }] },
    operations: { page: () => ({ items: [], nextBefore: null }), unwatchedFailures: () => [] },
    notifications,
  } as unknown as AlertParts;
  alerts = createAlerts(parts);
  return alerts;
}
async function becomes(next: Pool[]): Promise<void> {
  pools = next;
  bench.services.bus.emit('pools.changed', {});
  // Longer than it takes to settle; twice, because a busy machine is late with timers, but never out of order.
  await sleep(200);
  await sleep(600);
}
const openIds = (): string[] =>
  alerts
    .list({ limit: 10 })
    .open.map((alert) => alert.id)
    .sort();
const DEGRADED = [`pool:${GUID}:degraded`, `pool:${GUID}:near-full`];

beforeEach(() => {
  bench = createServiceBench();
  pools = [healthy];
  notifications = { add: () => undefined, troubles: () => [] };
  begin().start();
});
afterEach(() => {
  alerts.stop();
  bench.close();
});

describe('an alert', () => {
  it('is in the feed within two seconds of the pool being degraded, and gone when it is whole again', async () => {
    const changes: string[] = [];
    bench.services.bus.on('alert.changed', ({ change }) => changes.push(change));
    const began = performance.now();
    pools = [degraded];
    bench.services.bus.emit('pools.changed', {});
    while (!bench.services.feed.get('alerts', DEGRADED[0] ?? '')) await sleep(5);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(openIds()).toEqual(DEGRADED);
    await becomes([healthy]);
    expect(bench.services.feed.snapshot().snapshot.alerts).toEqual([]);
    const { open, resolved } = alerts.list({ limit: 10 });
    expect(open).toEqual([]);
    expect(resolved.map((alert) => alert.kind).sort()).toEqual(['pool.degraded', 'pool.near-full']);
    expect(changes).toEqual(['raised', 'raised', 'resolved', 'resolved']);
  });

  it('is raised once: the same state told again and again changes nothing', async () => {
    await becomes([degraded]);
    const first = alerts.list({ limit: 10 }).open;
    await becomes([degraded]);
    await becomes([{ ...degraded }]);
    expect(alerts.list({ limit: 10 }).open).toEqual(first);
  });

  it('keeps the time it was raised and who has seen it when the server is started again', async () => {
    await becomes([degraded]);
    const seen = alerts.acknowledge(DEGRADED[0] ?? '', actorOf('operator'));
    expect(seen).toMatchObject({ acknowledgedBy: 'operator', resolvedAt: null });
    const before = alerts.list({ limit: 10 }).open;
    alerts.stop();
    bench.advance(60_000);
    begin();
    // Shown at once, before anything was judged.
    expect(bench.services.feed.snapshot().snapshot.alerts).toHaveLength(2);
    pools = [{ ...degraded, readAt: null, poolStatus: null }];
    alerts.start();
    await becomes(pools);
    await becomes([degraded]);
    expect(alerts.list({ limit: 10 }).open).toEqual(before);
    expect(alerts.list({ limit: 10 }).resolved).toEqual([]);
  });

  it('comes again as a new one after it was resolved', async () => {
    await becomes([degraded]);
    alerts.acknowledge(DEGRADED[0] ?? '', actorOf('operator'));
    await becomes([healthy]);
    await becomes([degraded]);
    expect(alerts.list({ limit: 10 }).open.map((alert) => alert.acknowledgedAt)).toEqual([null, null]);
    expect(alerts.list({ limit: 10 }).resolved).toHaveLength(2);
  });

  it('goes with its pool', async () => {
    await becomes([degraded]);
    await becomes([]);
    expect(openIds()).toEqual([]);
  });

  it('is listed a page at a time once it is over, and forgotten after half a year', async () => {
    await becomes([degraded]);
    await becomes([]);
    const first = alerts.list({ limit: 1 });
    const second = alerts.list({ limit: 1, before: first.nextBefore });
    expect(new Set([...first.resolved, ...second.resolved].map((alert) => alert.kind)).size).toBe(2);
    expect(second.nextBefore).toBeNull();
    bench.advance(181 * 86_400_000);
    alerts.cleanUp();
    expect(alerts.list({ limit: 5 }).resolved).toEqual([]);
  });
});

describe('people are told', () => {
  it('of an alert, and of its end, once, also when the server is started again in between', async () => {
    const { bus, clock, log, config } = bench.services;
    const sink = await httpSink();
    const told = createNotifications({
      db: bench.db,
      bus,
      clock,
      log,
      config: { ...config, hostname: 'nas' },
    });
    await told.create(
      channelRequest.parse({
        ...{ kind: 'ntfy', name: 'Phone', settings: { server: sink.url }, secrets: { topic: 'attic' } },
      }),
    );
    told.start();
    notifications = told;
    alerts.stop();
    begin().start();
    await becomes([degraded]);
    alerts.stop();
    begin().start();
    await becomes([degraded]);
    await becomes([healthy]);
    await told.deliver();
    const titles = sink.taken.map(({ body }) => body['title']);
    expect(titles).toHaveLength(4);
    expect(titles.slice(0, 2)).toEqual([
      expect.stringMatching(/^nas: Critical: .* is degraded/),
      expect.stringMatching(/^nas: Pool .* is nearly full/),
    ]);
    expect(titles.slice(2).every((title) => String(title).startsWith('nas: Over: '))).toBe(true);
    await told.stop();
    await sink.close();
  });

  it('or the alert is not raised: both are in one transaction', async () => {
    notifications = {
      add() {
        throw new Error('the disk is full');
      },
      troubles: () => [],
    };
    alerts.stop();
    begin().start();
    await becomes([degraded]);
    expect(openIds()).toEqual([]);
  });

  it('that a channel is silent', async () => {
    notifications = {
      add: () => undefined,
      troubles: () => [{ channelId: 'c1', name: 'Phone', since: 1, error: 'Nothing listens there.' }],
    };
    alerts.stop();
    begin().start();
    await becomes([healthy]);
    expect(alerts.list({ limit: 5 }).open).toMatchObject([
      { id: 'channel:c1:silent', title: 'Nothing can be told by "Phone"', severity: 'warning' },
    ]);
  });
});

describe('who may say that an alert was seen', () => {
  it('an operator may, a viewer may only look', async () => {
    await becomes([degraded]);
    const id = DEGRADED[0] ?? '';
    const services = { ...bench.services, alerts };
    const asViewer = appRouter.createCaller(contextOf(services, actorOf('viewer')));
    expect((await asViewer.alerts.list({})).open).toHaveLength(2);
    await expect(asViewer.alerts.acknowledge({ id })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const asOperator = appRouter.createCaller(contextOf(services, actorOf('operator')));
    expect(await asOperator.alerts.acknowledge({ id })).toMatchObject({ acknowledgedBy: 'operator' });
    expect(await asOperator.alerts.acknowledge({ id })).toMatchObject({ acknowledgedBy: 'operator' });
    await expect(asOperator.alerts.acknowledge({ id: 'pool:none' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
