/** Mount points that nobody can write into: of folders that were there before, and given back by a release. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Appliance } from '../support/appliance';
import type { Scenario } from './cases';
import { mustEnd, noPool, serials } from './scenarios';

const GUID = `${process.pid.toString(16).padStart(8, '0')}-3c1d-4e8a-9f60-0000000000d1`;
const folder = (appliance: Appliance): string => join(appliance.dataDir, 'mnt', 'there-before');

async function nothing(appliance: Appliance): Promise<void> {
  await noPool(appliance, GUID);
  mkdirSync(folder(appliance), { recursive: true });
}
const create = (appliance: Appliance) =>
  appliance.rest('POST', '/pools', {
    poolGroupGuid: GUID,
    label: 'kept',
    plugin: 'single-drive',
    layout: 'single',
    drives: [{ serial: serials(appliance)[0] }],
    options: { filesystem: 'ext4', partition: false },
    mountPath: folder(appliance),
  });
async function made(appliance: Appliance): Promise<void> {
  await nothing(appliance);
  await mustEnd(appliance, 'pool.create', await create(appliance));
}

export const desiredScenarios: Scenario[] = [
  {
    title: 'pool.create, at a folder that was there before',
    kind: 'pool.create',
    setUp: nothing,
    begin: create,
    backward: true,
  },
  {
    title: 'pool.remove, from a folder that was there before',
    kind: 'pool.remove',
    setUp: made,
    async begin(appliance) {
      const refused = await appliance.rest<{ error?: { details?: { confirmCode?: string } } }>(
        'DELETE',
        `/pools/${GUID}`,
      );
      const code = refused.body.error?.details?.confirmCode ?? '';
      return appliance.rest('DELETE', `/pools/${GUID}?confirmCode=${code}`);
    },
    backward: false,
  },
];
