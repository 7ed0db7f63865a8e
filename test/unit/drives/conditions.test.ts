import { expect, test } from 'vitest';
import { driveConditions, type EarlierFacts } from '$lib/server/drives/conditions';
import { NO_HEALTH } from '$lib/server/drives/health-document';
import type { DriveHealth } from '$lib/shared/wire/drives';

const healthy: DriveHealth = { ...NO_HEALTH, status: 'passed', text: null, power: 'active', readAt: 1 };
const holding = (health: Partial<DriveHealth>, earlier: Partial<EarlierFacts> = {}, rotational = true) =>
  driveConditions(
    { name: 'Drive A', rotational, health: { ...healthy, ...health } },
    { held: new Set(), counters: {}, ...earlier },
  )
    .filter((condition) => condition.holds)
    .map((condition) => condition.suffix);

test('a healthy drive has none, and one that was never read has nothing to say', () => {
  expect(holding({ counters: { reallocated: 12, crc: 3 } })).toEqual([]);
  expect(
    driveConditions({ name: 'A', rotational: true, health: NO_HEALTH }, { held: new Set(), counters: {} }),
  ).toEqual([]);
});

test('a failing drive is critical and says why', () => {
  const [failing] = driveConditions(
    { name: 'Drive A', rotational: true, health: { ...healthy, status: 'failing', text: 'Worn out.' } },
    { held: new Set(), counters: {} },
  );
  expect(failing).toMatchObject({ suffix: 'failing', severity: 'critical', text: 'Worn out.', holds: true });
});

test('replaced sectors worry only while they grow', () => {
  expect(holding({ counters: { reallocated: 12 } }, { counters: { reallocated: 12 } })).toEqual([]);
  expect(holding({ counters: { reallocated: 13 } }, { counters: { reallocated: 12 } })).toEqual([
    'reallocated',
  ]);
  expect(holding({ counters: { reallocated: 13 } }, { counters: {} })).toEqual([]);
});

test('a hot drive is hot until it has cooled by five degrees', () => {
  const held = new Set(['temperature']);
  expect(holding({ temperatureCelsius: 54 })).toEqual([]);
  expect(holding({ temperatureCelsius: 55 })).toEqual(['temperature']);
  expect(holding({ temperatureCelsius: 51 }, { held })).toEqual(['temperature']);
  expect(holding({ temperatureCelsius: 50 }, { held })).toEqual([]);
  expect(holding({ temperatureCelsius: 60 }, {}, false)).toEqual([]);
});

test('a drive that sleeps is not hot, but may still be failing', () => {
  expect(holding({ power: 'standby', temperatureCelsius: 80, status: 'failing' })).toEqual(['failing']);
});

test('a failed self-test counts until a later one passed; one that was broken off says nothing', () => {
  const entry = { kind: 'Short', text: '', powerOnHours: 1, lba: null };
  const log = (...results: ('passed' | 'failed' | 'broken-off')[]) => ({
    selfTest: { ...healthy.selfTest, log: results.map((result) => ({ ...entry, result })) },
  });
  expect(holding(log('failed', 'passed'))).toEqual(['self-test']);
  expect(holding(log('broken-off', 'failed'))).toEqual(['self-test']);
  expect(holding(log('passed', 'failed'))).toEqual([]);
});
