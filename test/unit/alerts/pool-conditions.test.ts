import { describe, expect, it } from 'vitest';
import { fullness } from '$lib/server/alerts/near-full';
import { poolConditions } from '$lib/server/alerts/pool-conditions';
import type { Pool } from '$lib/shared/wire/pools';

const member = (
  slot: number,
  status: 'active' | 'missing' | 'faulty' = 'active',
  detail: string | null = null,
) => ({
  ...{
    slot,
    driveId: `wwn-${slot}`,
    serial: `WD-${slot}`,
    label: `Drive ${slot}`,
    sizeBytes: 4e12,
    role: 'data' as const,
    replacementBytes: 4e12,
    status,
    detail,
  },
});
const pool = (over: Partial<Pool> = {}): Pool =>
  ({
    ...{
      guid: 'g1',
      label: 'tank',
      plugin: 'btrfs',
      state: 'ready',
      poolStatus: 'active',
      health: 'healthy',
    },
    ...{ healthText: null, mountPath: '/mnt/tank', mounted: true, operationId: null, errorMessage: null },
    verbs: { 'clear-errors': { allowed: false, why: null } },
    ...{ usedBytes: 50, availableBytes: 50, sizeBytes: 100, members: [member(0), member(1)], readAt: 1 },
    ...over,
  }) as Pool;

const judged = (over: Partial<Pool>, held: 'warning' | 'critical' | null = null) =>
  poolConditions(
    [pool(over)],
    () => true,
    () => held,
  );
const ids = (over: Partial<Pool>): string[] => judged(over).conditions.map((condition) => condition.id);

describe('the conditions of a pool', () => {
  it('has none while all is well, and none for a pool that is unmounted on purpose', () => {
    expect(ids({})).toEqual([]);
    expect(ids({ state: 'unmounted', mounted: false, poolStatus: 'inactive' })).toEqual([]);
  });

  it('says once that a pool is degraded, and which drive is missing', () => {
    const { conditions } = judged({
      poolStatus: 'degraded',
      health: 'critical',
      healthText: 'Drive WD-1 is not there: one more loss would lose data.',
      members: [member(0), member(1, 'missing')],
    });
    expect(conditions).toMatchObject([
      {
        ...{ id: 'pool:g1:degraded', severity: 'critical' },
        subject: { type: 'pool', id: 'g1', label: 'tank' },
        title: 'Pool "tank" is degraded: drive WD-1 is missing',
        text: expect.stringMatching(/one more loss would lose data\. WD-1: 3\.6\d* TiB, place 2\./),
      },
    ]);
    expect(conditions).toHaveLength(1);
    for (const { remedy } of conditions) expect(remedy).toBeTruthy();
  });

  it('names the drive that made a pool degraded, and another that reports errors by itself', () => {
    const faulty = member(0, 'faulty', '12 write io errors');
    const titles = (members: (typeof faulty)[]): string[] =>
      judged({ poolStatus: 'degraded', health: 'critical', members }).conditions.map(({ title }) => title);
    expect(titles([faulty, member(1)])).toEqual(['Pool "tank" is degraded: drive WD-0 is faulty']);
    expect(titles([faulty, member(1, 'missing')])).toEqual([
      'Pool "tank" is degraded: drive WD-1 is missing',
      'Drive WD-0 has errors',
    ]);
  });

  it('names a missing member of a pool whose newcomer is being filled', () => {
    const { conditions } = judged({ poolStatus: 'resync', members: [member(0), member(1, 'missing')] });
    expect(conditions).toMatchObject([
      { id: 'pool:g1:missing-member:wwn-1', title: 'Drive WD-1 is missing' },
    ]);
  });

  it('does not count drives one by one when the pool has failed', () => {
    const members = [member(0, 'missing'), member(1, 'missing')];
    expect(ids({ poolStatus: 'missing', mounted: false, usedBytes: null, members })).toEqual([
      'pool:g1:failed',
    ]);
  });

  it('says that the counters can be cleared, where they can', () => {
    const verbs = { 'clear-errors': { allowed: true, why: null } } as Pool['verbs'];
    const { conditions } = judged({ verbs, members: [member(0, 'faulty', '12 write io errors')] });
    expect(conditions[0]?.remedy).toContain('clear the error counters');
  });

  it('says which drive reports errors, with what it says', () => {
    const { conditions } = judged({
      health: 'warning',
      members: [member(0, 'faulty', '12 write io errors')],
    });
    expect(conditions).toMatchObject([
      {
        id: 'pool:g1:faulty-member:wwn-0',
        severity: 'critical',
        text: expect.stringContaining('12 write io errors'),
      },
    ]);
  });

  it('says that a pool has failed rather than that it is not mounted', () => {
    expect(ids({ poolStatus: 'missing', mounted: false, usedBytes: null })).toEqual(['pool:g1:failed']);
  });

  it('misses a mount only when it is wanted and nobody works on it', () => {
    const gone = { mounted: false, poolStatus: 'inactive', usedBytes: null } as const;
    expect(ids(gone)).toEqual(['pool:g1:not-mounted']);
    expect(ids({ ...gone, operationId: 'o1' })).toEqual([]);
    expect(ids({ ...gone, state: 'unmounted' })).toEqual([]);
  });

  it('warns of what a scrub mended, and calls when it could not', () => {
    const scrub = (errors: number, uncorrectable: number) =>
      judged({ lastScrub: { endedAt: 1, state: 'finished', errors, uncorrectable } }).conditions;
    expect(scrub(0, 0)).toEqual([]);
    expect(scrub(3, 0)).toMatchObject([{ id: 'pool:g1:scrub-errors', severity: 'warning' }]);
    expect(scrub(3, 1)).toMatchObject([{ id: 'pool:g1:scrub-errors', severity: 'critical' }]);
  });

  it('keeps what was known of a pool that cannot be read now, and says that it cannot', () => {
    const { conditions, unknown } = judged({
      poolStatus: null,
      health: 'unknown',
      healthText: 'Unknown output.',
    });
    expect(conditions.map(({ id }) => id)).toEqual(['pool:g1:unreadable']);
    expect(unknown('pool:g1:degraded')).toBe(true);
    expect(unknown('pool:g1:missing-member:wwn-1')).toBe(true);
    expect(unknown('pool:g1:unreadable')).toBe(false);
    expect(unknown('pool:g2:degraded')).toBe(false);
  });

  it('leaves it to the plugin’s own alert when the plugin cannot be used', () => {
    const unread = pool({ poolStatus: null, health: 'unknown', healthText: 'Not installed: btrfs.' });
    expect(
      poolConditions(
        [unread],
        () => false,
        () => null,
      ).conditions,
    ).toEqual([]);
  });

  it('says nothing of a pool that nobody has asked yet, and resolves nothing of it', () => {
    const { conditions, unknown } = judged({ readAt: null, poolStatus: null, mounted: false });
    expect(conditions).toEqual([]);
    expect(unknown('pool:g1:not-mounted')).toBe(true);
  });

  it('keeps a full pool in mind while it is unmounted', () => {
    const { conditions, unknown } = judged({ state: 'unmounted', mounted: false, usedBytes: null });
    expect(conditions).toEqual([]);
    expect(unknown('pool:g1:near-full')).toBe(true);
    expect(unknown('pool:g1:degraded')).toBe(false);
  });
});

describe('a pool that fills', () => {
  it('warns from 85 %, calls from 95 %, and takes each back three points lower', () => {
    const steps = [0.84, 0.85, 0.83, 0.95, 0.93, 0.919, 0.821, 0.819, 0.84];
    let held: ReturnType<typeof fullness> = null;
    expect(steps.map((share) => (held = fullness(share, held)))).toEqual([
      ...[null, 'warning', 'warning', 'critical', 'critical', 'warning', 'warning', null, null],
    ]);
  });
  it('falls from critical to nothing when much is deleted at once', () => {
    expect(fullness(0.1, 'critical')).toBeNull();
  });
  it('is judged by what can be used, as df does', () => {
    const full = judged({ sizeBytes: 200, usedBytes: 90, availableBytes: 10 });
    expect(full.conditions).toMatchObject([
      { id: 'pool:g1:near-full', severity: 'warning', text: '90 % of it is used.' },
    ]);
  });
});
