/** Taking another version in use, and going back from it, as scenarios of the crash matrix. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InstalledAppliance } from '../support/installed-appliance';
import type { Appliance } from '../support/appliance';
import type { Scenario } from './cases';

export const OLD = '1.0.0';
export const NEW = '1.1.0';

function installed(appliance: Appliance): InstalledAppliance {
  if (!(appliance instanceof InstalledAppliance)) throw new Error('this Cairn is not installed');
  return appliance;
}
/** The same database, run by this version, with nothing left of any update. */
async function asInstalled(appliance: Appliance, version: string, versions: string[]): Promise<void> {
  const made = installed(appliance);
  if (made.current === version && made.versions().join() === versions.join() && leftOf(made).length === 0)
    return;
  await made.kill();
  for (const one of made.versions())
    if (!versions.includes(one)) rmSync(join(made.home, 'versions', one), { recursive: true });
  for (const one of versions) if (!made.versions().includes(one)) made.lay(one);
  made.current = version;
  for (const name of readdirSync(made.updatesDir)) rmSync(join(made.updatesDir, name));
  await made.start();
}
/** Files of updates, without the numbers that differ from case to case. */
const leftOf = (appliance: InstalledAppliance): string[] =>
  readdirSync(appliance.updatesDir)
    .map((name) => name.replace(/[0-9a-f]{8}/, 'ID'))
    .sort();
/** A working version, old or new, never neither: it answers (`settled` asks it), and these are all that lie there. */
const observe = (appliance: Appliance): unknown => {
  const made = installed(appliance);
  return {
    current: made.current,
    versions: made.versions(),
    left: leftOf(made),
    database: made.query('PRAGMA quick_check'),
    users: made.query('SELECT username FROM users'),
  };
};

/** The process that began the step ends with it; the next one finds it done. */
const NEVER = ['start-anew done alone'];

export const updateScenarios: Scenario[] = [
  {
    title: 'update.apply',
    kind: 'update.apply',
    setUp: (appliance) => asInstalled(appliance, OLD, [OLD]),
    begin: (appliance) => appliance.rest('POST', '/updates/apply', { version: NEW }),
    // After it there is no way back by a click: the process ends, and the other version finishes it.
    ...{ backward: true, cancelAfter: 'switch', never: NEVER, observe },
  },
  {
    title: 'update.rollback',
    kind: 'update.rollback',
    setUp: (appliance) => asInstalled(appliance, NEW, [OLD, NEW]),
    begin: (appliance) => appliance.rest('POST', '/updates/rollback', {}),
    ...{ backward: true, cancelAfter: 'order-way-back', never: NEVER, observe },
  },
];
