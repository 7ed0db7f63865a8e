/** Installing and removing a plugin of somebody else as scenarios of the crash matrix. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installPlugin, writePlugin } from '../support/trust-plugins';
import type { Appliance } from '../support/appliance';
import type { Scenario } from './cases';
import { mustEnd } from './scenarios';

const ID = 'mine';
const home = ({ dataDir }: Appliance): string => join(dataDir, 'plugins', ID);
const isInstalled = (appliance: Appliance): boolean => existsSync(join(home(appliance), 'in-use.json'));

function install(appliance: Appliance) {
  const path = join(appliance.dataDir, 'from-others');
  if (!existsSync(path)) writePlugin(path, ID);
  return installPlugin(appliance, path, ID);
}
const remove = (appliance: Appliance) => appliance.rest('DELETE', `/plugins/${ID}`);

/** Whether it is there whole. */
const observe = (appliance: Appliance): string[] =>
  existsSync(home(appliance))
    ? readdirSync(home(appliance), { recursive: true, encoding: 'utf8' }).toSorted()
    : ['not there'];

export const pluginScenarios: Scenario[] = [
  {
    title: 'plugin.install',
    kind: 'plugin.install',
    async setUp(appliance) {
      if (isInstalled(appliance)) await mustEnd(appliance, 'plugin.remove', await remove(appliance));
    },
    begin: install,
    ...{ backward: true, observe },
  },
  {
    title: 'plugin.remove',
    kind: 'plugin.remove',
    async setUp(appliance) {
      if (!isInstalled(appliance)) await mustEnd(appliance, 'plugin.install', await install(appliance));
    },
    begin: remove,
    ...{ backward: true, observe },
  },
];
