/** Sandbox drives are attached while the server starts: so here it is the start that is killed, at every point. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { loopsBelow } from '../../src/cli/leftovers';
import { expectNoLeaks, traces } from '../support/leaks';
import { continueOrphans } from './matrix';

const before = traces();
let appliance: Appliance;
beforeAll(async () => {
  appliance = new Appliance({ drives: 2 });
  await appliance.start();
  await appliance.setUp();
});
afterAll(async () => {
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

const POINTS = [
  'begun:alone',
  'acting:alone',
  'child-started:alone',
  'child-started:both',
  'child-running:alone',
  'child-running:both',
  'acted:alone',
  'done:alone',
];
const steps = ['attach-1', 'attach-2'];
const cells = steps.flatMap((step) => POINTS.map((point) => [step, point] as const));

describe('after a restart of the machine', () => {
  it.each(cells)('a start that is killed at %s, %s is finished by the next one', async (step, point) => {
    await appliance.kill('SIGTERM');
    for (const { device } of loopsBelow(appliance.dataDir))
      spawnSync('/usr/sbin/losetup', ['--detach', device]);
    const [last] = appliance.query<{ seq: number }>('SELECT max(seq) AS seq FROM operations');
    const [name = '', mode = ''] = point.split(':');
    appliance.crashAt(`${name}@sandbox.attach-drives/${step}:${mode}`);
    await expect(appliance.start()).rejects.toThrow(/ended while it started/);
    appliance.crashAt('');
    const later = setTimeout(() => continueOrphans(appliance), 400);
    await appliance.start();
    clearTimeout(later);
    await expect
      .poll(() =>
        appliance.query(
          "SELECT kind FROM operations WHERE state IN ('running', 'undoing', 'needs-attention')",
        ),
      )
      .toEqual([]);
    expect(loopsBelow(appliance.dataDir)).toHaveLength(2);
    expect(appliance.query('SELECT lock FROM operation_locks')).toEqual([]);
    const [killed] = appliance.query<{ verdict: string; evidence: string }>(
      "SELECT verdict, evidence FROM operations WHERE kind = 'sandbox.attach-drives' AND seq > ? ORDER BY seq LIMIT 1",
      last?.seq,
    );
    expect(['continued', 'finished-anyway']).toContain(killed?.verdict);
    expect(JSON.parse(killed?.evidence ?? '[]')).not.toEqual([]);
  });
});
