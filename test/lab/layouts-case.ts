/**
 * The life of a pool, the same for every plugin and layout: made, filled, one drive pulled, told at once which, replaced,
 * checked, its content unchanged, taken away, its drives clean. What cannot lose a drive is made once more, to see it told.
 */
import { expect } from 'vitest';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import type { PoolCreateRequestInput } from '../../src/lib/shared/wire/requests.ts';
import type { Cairn } from './cairn.ts';
import { MiB, type DriveSpec } from './drives.ts';
import type { Machine } from './machine.ts';
import { begin, watch } from './mdraid-case.ts';
import * as on from './pool-case.ts';

export interface LayoutCase {
  plugin: string;
  layout: string;
  options?: PoolCreateRequestInput['options'];
  drives: number;
  /** Does it go on when one drive is lost? */
  survives: boolean;
  /** Its tool does not count what a check has found. */
  countsNothing?: boolean;
}

/** A check, a rebuild or a reshape keeps drives busy, and Cairn looks at them for a while after a change. */
const IDLE = `! grep -q "resync\\|recovery\\|reshape\\|check" /proc/mdstat && ! dmsetup status 2>/dev/null | grep " raid " | grep -vq " idle " && ! pgrep -x "lvm|zpool|smartctl" >/dev/null`;
const settled = (machine: Machine): Promise<string> => machine.until(IDLE, on.LONG);
const nameOf = ({ plugin, layout }: LayoutCase): string => `${plugin}-${layout}`;
const serialsOf = (one: LayoutCase): string[] =>
  Array.from({ length: one.drives }, (_, index) => `${nameOf(one)}-${index}`);
const freshOf = (one: LayoutCase): string => `${nameOf(one)}-new`;

export const drivesFor = (cases: LayoutCase[]): DriveSpec[] =>
  cases
    .flatMap((one) => [...serialsOf(one), ...(one.survives ? [freshOf(one)] : [])])
    .map((serial) => ({ serial, sizeBytes: 400 * MiB }));

async function make(cairn: Cairn, one: LayoutCase): Promise<Pool> {
  const pool = await cairn.createPool(
    {
      ...{ label: nameOf(one), plugin: one.plugin, layout: one.layout, options: one.options ?? {} },
      drives: serialsOf(one).map((serial) => ({ serial })),
    },
    on.LONG,
  );
  expect(on.statusOf(pool)).toEqual(Object.fromEntries(serialsOf(one).map((serial) => [serial, 'active'])));
  return pool;
}

/** Milliseconds from the pull until the pool tells that this drive, and no other, is gone. */
async function pull(cairn: Cairn, one: LayoutCase, pool: Pool): Promise<string> {
  const pulled = serialsOf(one)[one.drives > 1 ? 1 : 0] ?? '';
  // systemd unmounts what lies on a device that is gone: then the pool is missing, not failed.
  const fits = (status: Pool['poolStatus']): boolean =>
    one.survives ? status === 'degraded' : status === 'failed' || status === 'missing';
  await settled(cairn.machine);
  const since = performance.now();
  await cairn.machine.pullDrive(pulled);
  const told = await on.untilPool(cairn, pool, ({ poolStatus, members }) => {
    const gone = members.filter(({ status }) => status === 'missing').map(({ serial }) => serial);
    return fits(poolStatus) && gone.join() === pulled;
  });
  expect(performance.now() - since, `${nameOf(one)}: when it was told`).toBeLessThan(on.PROMPT_MS);
  expect(told.healthText).toContain(pulled);
  return pulled;
}

async function mend(cairn: Cairn, one: LayoutCase, pool: Pool, pulled: string, sum: string): Promise<void> {
  const { machine } = cairn;
  const fresh = freshOf(one);
  const request = {
    ...{ verb: 'replace' as const, poolGroupGuid: pool.guid },
    ...{ member: { serial: pulled }, drive: { serial: fresh } },
  };
  const { percents } = await watch(cairn, pool.guid, await begin(cairn, request));
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  const whole = await on.untilPool(
    cairn,
    pool,
    ({ health, work }) => health === 'healthy' && work.length === 0,
  );
  expect(on.statusOf(whole)).toEqual(
    Object.fromEntries(serialsOf(one).map((serial) => [serial === pulled ? fresh : serial, 'active'])),
  );
  await on.change(cairn, { verb: 'start-scrub', poolGroupGuid: pool.guid });
  const checked = await on.untilPool(
    cairn,
    pool,
    ({ work, lastScrub }) =>
      work.length === 0 && (one.countsNothing === true || lastScrub?.state === 'finished'),
  );
  if (!one.countsNothing) expect(checked.lastScrub).toMatchObject({ errors: 0, uncorrectable: 0 });
  await settled(machine);
  expect(await on.checksum(machine, pool), `${nameOf(one)}: content`).toBe(sum);
}

async function lifeOf(cairn: Cairn, one: LayoutCase): Promise<void> {
  const { machine } = cairn;
  const pool = await make(cairn, one);
  const sum = await on.fill(machine, pool);
  const pulled = one.survives ? await pull(cairn, one, pool) : '';
  expect(await on.checksum(machine, pool), `${nameOf(one)}: content`).toBe(sum);
  if (one.survives) await mend(cairn, one, pool, pulled, sum);
  await cairn.removePool(pool.guid, on.LONG);
  const held = serialsOf(one).map((serial) => (serial === pulled ? freshOf(one) : serial));
  expect(await on.leftOn(machine, ...held), `${nameOf(one)}: what is left`).toBe('');
  if (!one.survives) await pull(cairn, one, await make(cairn, one));
}

/** One after another, so that each has the machine to itself. */
export async function livesOf(cairn: Cairn, cases: LayoutCase[]): Promise<void> {
  for (const one of cases) {
    const begun = performance.now();
    await lifeOf(cairn, one);
    process.stdout.write(`lab: ${nameOf(one)}: ${Math.round((performance.now() - begun) / 1_000)} s\n`);
  }
}
