import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Operation } from '$lib/shared/wire/operations';
import { InstalledAppliance } from '../support/installed-appliance';
import { expectNoLeaks, traces } from '../support/leaks';
import { claimIn } from './cases';
import { printMatrix, runMatrix, settled } from './matrix';
import { NEW, OLD, updateScenarios } from './update-scenarios';

const BROKEN = '1.2.0';
const before = traces();
let appliance: InstalledAppliance;
beforeAll(async () => {
  appliance = new InstalledAppliance();
  appliance.lay(OLD);
  appliance.current = OLD;
  appliance.offer(NEW);
  await appliance.start();
  await appliance.setUp();
});
afterAll(async () => {
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

describe('kill -9 at every point of every step', () => {
  it.each(updateScenarios.map((scenario) => [scenario.title, scenario] as const))(
    '%s ends in a working version, old or new, and says which',
    async (title, scenario) => {
      const { cells, generated } = await runMatrix(appliance, scenario, claimIn(inject('metFolder')));
      printMatrix(title, cells, generated);
      const failed = cells.filter((cell) => cell.problems.length > 0);
      expect(failed.map((cell) => `${cell.cell}: ${cell.problems.join('; ')}`)).toEqual([]);
      if (!process.env.CAIRN_CRASH_CELLS) expect(generated).toBeGreaterThan(8);
    },
  );
});

describe('a version that does not start', () => {
  it('is gone back from by itself, with the database as it was', async () => {
    await updateScenarios[0]?.setUp(appliance);
    appliance.offer(BROKEN, true);
    const asked = await appliance.rest<{ operationId: string }>('POST', '/updates/apply', {
      version: BROKEN,
    });
    const operation = await settled(appliance, asked.body.operationId);
    expect(operation).toMatchObject({ state: 'failed' } satisfies Partial<Operation>);
    expect(operation.error?.message ?? operation.evidence.join()).toContain('did not become ready');
    expect([appliance.current, appliance.versions()]).toEqual([OLD, [OLD]]);
    expect((await appliance.rest<{ version: string }>('GET', '/updates')).body.version).toBe(OLD);
    expect(appliance.query('SELECT lock FROM operation_locks')).toEqual([]);
  });
});
