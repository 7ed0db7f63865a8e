/** Looking into and adopting a filesystem that was made in a shell, as scenarios of the crash matrix. */
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import type { Appliance } from '../support/appliance';
import { loopsBelow } from '../../src/cli/leftovers';
import type { Scenario } from './cases';
import { mustEnd, noPool, serials } from './scenarios';

const GUID = `${process.pid.toString(16).padStart(8, '0')}-3c1d-4e8a-9f60-0000000000f1`;
const FOUND = `single-drive:${GUID}`;

/** The same filesystem anew: what an earlier case wrote into it is gone. */
async function stray(appliance: Appliance): Promise<void> {
  await noPool(appliance, GUID);
  const [serial] = serials(appliance);
  const loop = loopsBelow(appliance.dataDir).find(({ file }) => basename(file) === `${serial}.img`);
  if (!loop) throw new Error(`${serial} is not attached`);
  execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', '-U', GUID, '-L', 'stray', loop.device]);
  const answer = await appliance.trpc('found.refresh', undefined);
  if (answer.status >= 300) throw new Error(`looking was refused: ${JSON.stringify(answer.body)}`);
}
const peek = (appliance: Appliance) => appliance.trpc('found.peek', { found: FOUND });

export const foundScenarios: Scenario[] = [
  {
    title: 'pool.peek, ext4 on a whole drive',
    kind: 'pool.peek',
    setUp: stray,
    begin: peek,
    backward: true,
    cancelAfter: 'list-files',
  },
  {
    title: 'pool.adopt, ext4 on a whole drive',
    kind: 'pool.adopt',
    async setUp(appliance) {
      await stray(appliance);
      await mustEnd(appliance, 'pool.peek', await peek(appliance));
    },
    begin: (appliance) => appliance.trpc('found.adopt', { found: FOUND }),
    backward: true,
  },
];
