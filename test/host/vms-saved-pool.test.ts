/** A machine whose memory is saved, on a pool that can be rolled back under it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  microRequest,
  mustSucceed,
  POOL_GUID,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
let machines: Machines;
beforeAll(async () => {
  machines = await startMachines('btrfs');
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

it('a pool is not rolled back under a machine that would go on with what it remembers of its disk', async () => {
  const { appliance, imageId } = machines;
  const rest = (method: string, path: string, body?: unknown) => appliance.rest(method, path, body);
  const snapshots = `/pools/${POOL_GUID}/snapshots`;
  await mustSucceed(appliance, await rest('POST', '/vms', microRequest(imageId)));
  const path = `/vms/${(await vmNamed(appliance, 'web'))?.id ?? ''}`;
  await mustSucceed(appliance, await rest('POST', snapshots, { name: 'before' }));
  await mustSucceed(appliance, await rest('POST', `${path}/save`));
  const refused = await rest('POST', `${snapshots}/before/roll-back`);
  expect(refused).toMatchObject({
    status: 409,
    body: { error: { code: 'pool_sleepers', message: expect.stringContaining('web') } },
  });
  await mustSucceed(appliance, await rest('DELETE', `${path}/saved-memory`));
  await mustSucceed(appliance, await rest('POST', `${snapshots}/before/roll-back`));
  expect((await vmNamed(appliance, 'web'))?.state).toBe('stopped');
});
