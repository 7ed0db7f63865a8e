/** Snapshots through Cairn as its unit runs it, on storage that only a real kernel has. */
import { expect, it } from 'vitest';
import type { Cairn } from './cairn.ts';
import { MiB } from './drives.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ zfs: true });
const CASE_MS = 240_000;
const OPERATION = { timeoutMs: 120_000 };
const drive = (serial: string) => [{ serial, sizeBytes: 500 * MiB }];

async function act(
  cairn: Cairn,
  poolGroupGuid: string,
  verb: 'create' | 'delete' | 'roll-back',
  name: string,
) {
  const request = { verb, poolGroupGuid, name };
  const shown = await cairn.trpc.snapshots.preview.mutate({ request });
  if (!shown.ok) throw new Error(`It is refused: ${JSON.stringify(shown.issues)}`);
  return cairn.success(await cairn.trpc.snapshots.start.mutate({ request }), OPERATION);
}
const list = async (cairn: Cairn, guid: string) =>
  (await cairn.trpc.snapshots.read.query({ guid })).snapshots;

/** Taken, changed, gone back to, gone forward again, removed: what was there is there at every point. */
async function thereAndBack(cairn: Cairn, guid: string, at: string): Promise<void> {
  const { machine } = cairn;
  await machine.check(`echo first >${at}/letter; sync`);
  await act(cairn, guid, 'create', 'one');
  await machine.check(`echo second >${at}/letter; echo more >${at}/more; sync`);
  await act(cairn, guid, 'roll-back', 'one');
  expect(await machine.check(`cat ${at}/letter; ls ${at} | grep -c more || true`)).toBe('first\n0');
  const kept = (await list(cairn, guid)).find(({ origin }) => origin === 'roll-back');
  expect(kept).toMatchObject({ madeBy: 'admin' });
  await machine.check(`echo third >${at}/letter; sync`);
  await act(cairn, guid, 'roll-back', kept?.name ?? '');
  expect(await machine.check(`cat ${at}/letter ${at}/more`)).toBe('second\nmore');
  expect(await cairn.pool(guid)).toMatchObject({ mounted: true, health: 'healthy' });
}

it(
  'of a btrfs pool bring back what was there, which PID 1 alone mounts at the next boot',
  { timeout: 2 * CASE_MS },
  async () => {
    const serials = ['B1', 'B2'];
    const cairn = await lab.cairn({ drives: serials.flatMap(drive) });
    const { machine } = cairn;
    const drives = serials.map((serial) => ({ serial }));
    const pool = await cairn.createPool(
      { label: 'Mirror', plugin: 'btrfs', layout: 'raid1', drives },
      OPERATION,
    );
    await thereAndBack(cairn, pool.guid, pool.mountPath);
    await machine.check('sync');
    await machine.powerCut();
    await machine.boot({ cold: true, root: 'kept' });
    await machine.until(`mountpoint -q ${pool.mountPath}`, { timeoutMs: 60_000 });
    expect(await machine.check(`findmnt --noheadings --output FSROOT ${pool.mountPath}`)).toBe('/data');
    expect(await machine.check(`cat ${pool.mountPath}/letter ${pool.mountPath}/more`)).toBe('second\nmore');
  },
);

it(
  'of a thin LVM pool bring back what was there, and keep what they replace',
  { timeout: CASE_MS },
  async () => {
    const cairn = await lab.cairn({ drives: drive('T1') });
    const drives = [{ serial: 'T1' }];
    const pool = await cairn.createPool({ label: 'Thin', plugin: 'lvm', layout: 'thin', drives }, OPERATION);
    await thereAndBack(cairn, pool.guid, pool.mountPath);
    await act(cairn, pool.guid, 'delete', 'one');
    expect((await list(cairn, pool.guid)).map(({ origin }) => origin)).toEqual(['roll-back', 'roll-back']);
    await cairn.removePool(pool.guid, OPERATION);
  },
);

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
