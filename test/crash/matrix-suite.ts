import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { expectNoLeaks, traces } from '../support/leaks';
import { claimIn, type Scenario } from './cases';
import { printMatrix, runMatrix } from './matrix';

/** Where the appliance lives, when that is not the machine itself; its scenarios leave their pool to the next one. */
interface Place {
  enter(folder: string): string[];
  env(): Record<string, string>;
  open(dataDir: string): Promise<void>;
  close(): Promise<void>;
}

/** The cells of these scenarios, on one appliance of their own. Files of suites run side by side. */
export function matrixSuite(
  scenarios: Scenario[],
  drives: { count: number; bytes?: number } = { count: 2 },
  place?: Place,
): void {
  describe('kill -9 at every point of every step', () => {
    const before = traces();
    const claim = claimIn(inject('metFolder'));
    let appliance: Appliance;
    beforeAll(async () => {
      appliance = new Appliance({
        drives: drives.count,
        ...(drives.bytes ? { driveBytes: drives.bytes } : {}),
        ...(place ? { enter: (folder: string) => place.enter(folder), lateEnv: () => place.env() } : {}),
      });
      await place?.open(appliance.dataDir);
      await appliance.start();
      await appliance.setUp();
    });
    afterAll(async () => {
      for (const { cleanUp } of scenarios) cleanUp?.();
      await appliance.stopAndUnmount();
      await place?.close();
      await appliance.remove();
      await expectNoLeaks(before, appliance.dataDir);
    });

    it.each(scenarios.map((scenario) => [scenario.title, scenario] as const))(
      '%s comes to a clear end, with the machine as before or as wanted',
      async (title, scenario) => {
        if (!appliance.running) await appliance.start();
        if (!place)
          for (const { guid } of appliance.query<{ guid: string }>('SELECT guid FROM pools'))
            await removeAny(guid);
        const { cells, generated } = await runMatrix(appliance, scenario, claim);
        printMatrix(title, cells, generated);
        const failed = cells.filter((cell) => cell.problems.length > 0);
        expect(failed.map((cell) => `${cell.cell}: ${cell.problems.join('; ')}`)).toEqual([]);
        if (process.env.CAIRN_CRASH_CELLS) return;
        if (scenario.cells === undefined) expect(generated).toBeGreaterThan(8);
        else expect(generated).toBe(scenario.cells);
      },
    );

    /** Between scenarios: no pool of the one before stays. */
    async function removeAny(guid: string): Promise<void> {
      const refused = await appliance.rest<{ error?: { details?: { confirmCode?: string } } }>(
        'DELETE',
        `/pools/${guid}`,
      );
      await appliance.rest(
        'DELETE',
        `/pools/${guid}?confirmCode=${refused.body.error?.details?.confirmCode ?? ''}`,
      );
      while (appliance.query('SELECT 1 FROM pools WHERE guid = ?', guid).length > 0)
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
}
