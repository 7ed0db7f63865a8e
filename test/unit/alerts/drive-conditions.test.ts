import { describe, expect, it } from 'vitest';
import { healthConditions } from '$lib/server/alerts/drive-conditions';
import type { Drive, DriveHealth } from '$lib/shared/wire/drives';

const health: DriveHealth = {
  ...{ status: 'passed', text: null, power: 'active', temperatureCelsius: 30, powerOnHours: 1, counters: {} },
  ...{ attributes: [], readAt: 1 },
  selfTest: { whyNot: null, running: null, shortMinutes: null, longMinutes: null, log: [] },
};
const drive = (over: Partial<DriveHealth>, more: Partial<Drive> = {}): Drive =>
  ({
    ...{ id: 'wwn-1', serial: 'WD-1', model: 'Red', present: true, rotational: true, pool: null },
    health: { ...health, ...over },
    ...more,
  }) as Drive;
const judged = (one: Drive, held: string[] = []) => healthConditions([one], new Set(held), () => ({}));

describe('the conditions of a drive', () => {
  it('has none while the drive is well', () => {
    expect(judged(drive({})).conditions).toEqual([]);
  });

  it('calls for a drive that says it is failing, by its serial', () => {
    expect(judged(drive({ status: 'failing' })).conditions).toMatchObject([
      {
        ...{ id: 'drive:wwn-1:failing', kind: 'drive.failing', severity: 'critical' },
        subject: { type: 'drive', id: 'wwn-1', label: 'WD-1' },
        title: expect.stringContaining('WD-1'),
      },
    ]);
  });

  it('warns of a hot drive until it has really cooled', () => {
    const at = (temperatureCelsius: number, held: string[] = []): string[] =>
      judged(drive({ temperatureCelsius }), held).conditions.map(({ id }) => id);
    const HOT = 'drive:wwn-1:temperature';
    expect(at(54)).toEqual([]);
    expect(at(55)).toEqual([HOT]);
    expect(at(52, [HOT])).toEqual([HOT]);
    expect(at(50, [HOT])).toEqual([]);
  });

  it('keeps what a drive said that cannot be asked now, or is away from its pool', () => {
    for (const one of [
      drive({ status: 'unknown' }),
      drive({ readAt: null }),
      drive({ status: 'failing' }, { present: false, pool: { guid: 'g', label: 'tank' } }),
    ]) {
      const { conditions, unknown } = judged(one);
      expect(conditions).toEqual([]);
      expect(unknown('drive:wwn-1:failing')).toBe(true);
      expect(unknown('drive:wwn-10:failing')).toBe(false);
    }
  });

  it('lets go of a drive that was taken out and is in no pool', () => {
    const { conditions, unknown } = judged(drive({ status: 'failing' }, { present: false }));
    expect(conditions).toEqual([]);
    expect(unknown('drive:wwn-1:failing')).toBe(false);
  });
});
