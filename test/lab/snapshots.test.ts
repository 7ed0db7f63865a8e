/** Snapshots through Cairn as its unit runs it, on storage that only a real kernel has. */
import { expect, it } from 'vitest';
import { act, drive, list, OPERATION, thereAndBack } from './snapshots-case.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true });
const CASE_MS = 240_000;

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
