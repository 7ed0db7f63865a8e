/** What cases about snapshots have in common, whatever their storage is. */
import { expect } from 'vitest';
import type { Cairn } from './cairn.ts';
import { MiB, type DriveSpec } from './drives.ts';

/** Emulated, and the machine may have other work. */
export const OPERATION = { timeoutMs: 120_000 };
export const drive = (serial: string): DriveSpec[] => [{ serial, sizeBytes: 500 * MiB }];

export async function act(
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
export const list = async (cairn: Cairn, guid: string) =>
  (await cairn.trpc.snapshots.read.query({ guid })).snapshots;

/** Taken, changed, gone back to, gone forward again, removed: what was there is there at every point. */
export async function thereAndBack(cairn: Cairn, guid: string, at: string): Promise<void> {
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
