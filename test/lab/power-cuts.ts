/**
 * Power cuts in the middle of every step of an operation, for the price of one run: the operation is held at each step, the
 * guest stands still, and its drives are copied. A power cut at that moment leaves exactly these drives, so each copy is
 * put into a fresh guest afterwards, and Cairn has to bring it to a clear end.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Operation } from '../../src/lib/shared/wire/operations.ts';
import type { Cairn } from './cairn.ts';
import type { DriveSpec } from './drives.ts';

/** Settings of a Cairn whose operations can be held; the file has to be there. */
export const POINTS = '/run/cairn-points';
export const HELD = { CAIRN_CRASH_AT: `file:${POINTS}` };

/** acting: written down and not begun. acted: done, and not written down. */
const MOMENTS = ['acting', 'acted'] as const;

export interface Cut {
  /** `acted@pool.create/make-filesystem` */
  place: string;
  operation: string;
  guid: string;
  drives: DriveSpec[];
}
export interface Started {
  guid: string;
  operation: Operation;
}

/** In one piece: a file that is half written would let a step slip through. */
async function hold(cairn: Cairn, places: string[]): Promise<void> {
  await cairn.machine.push(`${POINTS}.new`, places.map((place) => `${place}:hold`).join(','));
  await cairn.machine.check(`mv ${POINTS}.new ${POINTS}`);
}
const reached = async (cairn: Cairn): Promise<string[]> =>
  (await cairn.machine.check(`cat ${POINTS}.reached 2>/dev/null || true`)).split('\n').filter(Boolean);

/** Every place of the operation, in order. Steps that only a reboot makes needed find nothing to do. */
const placesOf = ({ kind, steps }: Operation): string[] =>
  steps
    .filter(({ name }) => !name.startsWith('again-'))
    .flatMap(({ name }) => MOMENTS.map((moment) => `${moment}@${kind}/${name}`));

/** One place stands for the operation where there is no time for all: the step in the middle, done and not written down. */
const middleOf = (places: string[]): string[] => {
  const acted = places.filter((place) => place.startsWith('acted@'));
  return acted.slice(Math.floor(acted.length / 2)).slice(0, 1);
};

/**
 * Runs an operation to its good end and copies the drives on the way.
 * @param start begins it; it is held at its first step until all places are known
 * @param options.folder for the copies
 * @param options.every false: only at the place in the middle
 */
export async function recordCuts(
  cairn: Cairn,
  start: () => Promise<Started>,
  options: { folder: string; every: boolean },
): Promise<Cut[]> {
  await cairn.machine.check(`rm -f ${POINTS}.reached`);
  await hold(cairn, ['begun@*/*']);
  const { guid, operation } = await start();
  const { id } = operation;
  await cairn.until(
    () => reached(cairn),
    (places) => places.length > 0,
  );
  const places = placesOf(await cairn.trpc.operations.get.query({ id }));
  let ahead = options.every ? places : middleOf(places);
  const cuts: Cut[] = [];
  const look = async () => ({
    at: (await reached(cairn)).at(-1) ?? '',
    ...(await cairn.trpc.operations.get.query({ id })),
  });
  while (ahead.length > 0) {
    await hold(cairn, ahead);
    const wanted = new Set(ahead);
    const { at, endedAt } = await cairn.until(look, (seen) => wanted.has(seen.at) || seen.endedAt !== null);
    if (endedAt !== null) break;
    const folder = join(options.folder, at.replaceAll(/[^a-z0-9.-]/g, '_'));
    await mkdir(folder, { recursive: true });
    cuts.push({ place: at, operation: id, guid, drives: await cairn.machine.driveCopies(folder) });
    ahead = ahead.slice(ahead.indexOf(at) + 1);
  }
  await hold(cairn, []);
  await cairn.success(id);
  return cuts;
}
