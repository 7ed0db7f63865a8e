/** The same as snapshots.test.ts for OpenZFS, which has to be compiled first. */
import { expect, it } from 'vitest';
import { act, drive, list, OPERATION, thereAndBack } from './snapshots-case.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true, zfs: true });
const CASE_MS = 240_000;

it(
  'of a ZFS pool bring back what was there, and survive a power cut in between',
  { timeout: CASE_MS },
  async () => {
    const cairn = await lab.cairn({ drives: drive('Z1') });
    const drives = [{ serial: 'Z1' }];
    const pool = await cairn.createPool(
      { label: 'Tank', plugin: 'zfs', layout: 'stripe', drives },
      OPERATION,
    );
    await thereAndBack(cairn, pool.guid, pool.mountPath);
    const [inside] = (await list(cairn, pool.guid)).filter(({ path }) => path !== null);
    const folder = await cairn.trpc.snapshots.files.query({ guid: pool.guid, name: inside?.name ?? '' });
    expect(folder.entries.map(({ name }) => name)).toContain('letter');

    await act(cairn, pool.guid, 'create', 'two');
    await cairn.machine.check(`echo fourth >${pool.mountPath}/letter; sync`);
    const request = { verb: 'roll-back', poolGroupGuid: pool.guid, name: 'two' } as const;
    const { id } = await cairn.trpc.snapshots.start.mutate({ request });
    await cairn.until(
      () => cairn.trpc.operations.get.query({ id }),
      ({ steps }) => steps.some(({ name, state }) => name === 'put-aside' && state !== 'pending'),
    );
    await cairn.machine.powerCut();
    await cairn.boot();
    expect(await cairn.waitForOperation(id, OPERATION)).toMatchObject({ state: 'succeeded' });
    expect(await cairn.machine.check(`cat ${pool.mountPath}/letter`)).toBe('second');
  },
);
