/** The system disk is thrown away, with all that Cairn and libvirt knew; on the same drives a new Cairn brings everything back. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ConfigurationCopies, Restore, RestorePlan } from '$lib/shared/wire/configuration';
import type { Pool } from '$lib/shared/wire/pools';
import { expectNoLeaks, traces } from '../support/leaks';
import { loseSystemDisk, NO_NEW_DRIVES } from '../support/lost-system-disk';
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

const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);

it('brings back pools, machines and settings from a copy on a pool, also when it is killed on the way', async () => {
  const { appliance, libvirt } = machines;
  const made = await rest<{ vmId: string }>(
    'POST',
    '/vms',
    microRequest(machines.imageId, { cards: [{ mac: '52:54:00:aa:bb:cc' }] }),
  );
  await mustSucceed(appliance, made);
  const { vmId } = made.body;
  await mustSucceed(appliance, await rest('POST', `/vms/${vmId}/stop`, { graceSeconds: 0 }));
  await rest('PUT', `/vms/${vmId}/labels`, { tags: ['media'], notes: 'films' });
  const was = await vmNamed(appliance, 'web');
  const marker = join(appliance.dataDir, 'mnt/tank/marker');
  writeFileSync(marker, 'still here');
  expect((await rest('POST', '/configuration-copies')).status).toBe(201);
  await appliance.kill();
  libvirt.virsh('undefine', 'web', '--nvram');
  await loseSystemDisk(appliance, 'tank');
  expect(existsSync(marker)).toBe(false);

  await appliance.start(NO_NEW_DRIVES);
  await appliance.setUp();
  expect((await rest<{ pools: Pool[] }>('GET', '/pools')).body.pools).toEqual([]);
  const { body: looked } = await rest<ConfigurationCopies>('POST', '/configuration-copies/look');
  expect(looked.problems).toEqual([]);
  const [newest] = looked.copies;
  expect(newest).toMatchObject({ isOwn: false, pools: ['tank'], vms: ['web'], on: ['tank'] });
  const copy = newest?.id ?? '';
  const { body: shown } = await rest<{ plan: RestorePlan }>('POST', '/configuration/restore/preview', {
    copy,
  });
  expect(shown.plan.items.map(({ kind, label, state }) => [kind, label, state])).toEqual([
    ['pool', 'tank', 'waiting'],
    ['settings', 'Settings', 'waiting'],
    ['vm', 'web', 'waiting'],
  ]);
  // The accounts are the same; the key is not.
  expect(shown.plan.byHand).toEqual([expect.stringMatching(/API key "tests"/)]);

  appliance.crashAt('acting@vm.recall/define:kill');
  await rest('POST', '/configuration/restore', { copy }).catch(() => undefined);
  expect(await appliance.ended(60_000)).toBe(true);
  appliance.crashAt('');
  await appliance.start(NO_NEW_DRIVES);
  const ended = async (): Promise<Restore> => {
    for (;;) {
      const { body } = await rest<{ restore: Restore | null }>('GET', '/configuration/restore');
      if (body.restore && body.restore.endedAt !== null) return body.restore;
      await sleep(100);
    }
  };
  const first = await ended();
  expect(first.items.map(({ label, state }) => [label, state])).toEqual([
    ['tank', 'done'],
    ['Settings', 'done'],
    // Its operation was cut off and taken back.
    ['web', 'failed'],
  ]);
  expect(libvirt.domstate('web')).toBeNull();
  await rest('POST', '/configuration/restore', { copy });
  expect((await ended()).items.map(({ label, state }) => [label, state])).toEqual([
    ['tank', 'kept'],
    ['Settings', 'done'],
    ['web', 'done'],
  ]);

  expect(readFileSync(marker, 'utf8')).toBe('still here');
  const { body } = await rest<{ pools: Pool[] }>('GET', '/pools');
  expect(body.pools).toMatchObject([{ poolGroupGuid: POOL_GUID, label: 'tank', state: 'ready' }]);
  const is = await vmNamed(appliance, 'web');
  expect(is).toMatchObject({ id: vmId, state: 'stopped', tags: ['media'], notes: 'films' });
  expect(is?.cards).toEqual(was?.cards);
  expect(is?.image).toEqual(was?.image);
  expect(libvirt.virsh('domiflist', 'web', '--inactive').stdout).toContain('52:54:00:aa:bb:cc');
  await mustSucceed(appliance, await rest('POST', `/vms/${vmId}/start`));
  await libvirt.guestListens('web');
  await mustSucceed(appliance, await rest('POST', `/vms/${vmId}/stop`, { graceSeconds: 0 }));
}, 180_000);
