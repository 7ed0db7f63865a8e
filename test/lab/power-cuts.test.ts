/**
 * Power cuts in every step of the operations that change what is on drives, on every kind of pool. All places with
 * `npm run test:lab`; the one in the middle of each operation in `npm test` (LAB_CUTS=middle), where time is short.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../src/lib/shared/wire/operations.ts';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import type { PoolChangeRequest, PoolCreateRequestInput } from '../../src/lib/shared/wire/requests.ts';
import type { Cairn } from './cairn.ts';
import type { Credentials } from './cairn-client.ts';
import { MiB } from './drives.ts';
import { HELD, POINTS, recordCuts, type Cut, type Started } from './power-cuts.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true });
const every = process.env.LAB_CUTS !== 'middle';
const CASE_MS = 7_200_000;
const SERIALS = ['A', 'B', 'C', 'D'];

/** Who is a member before and after each operation. */
const STEPS = [
  { verb: 'create', before: null, after: ['A', 'B'] },
  { verb: 'expand', before: ['A', 'B'], after: ['A', 'B', 'C'] },
  { verb: 'replace', before: ['A', 'B', 'C'], after: ['D', 'B', 'C'] },
  { verb: 'destroy', before: ['D', 'B', 'C'], after: null },
] as const;
type Verb = (typeof STEPS)[number]['verb'];

const PLUGINS: { plugin: string; layout: string; options?: PoolCreateRequestInput['options'] }[] = [
  { plugin: 'btrfs', layout: 'raid1' },
  { plugin: 'mdraid', layout: 'raid1', options: { filesystem: 'ext4' } },
];

async function change(cairn: Cairn, request: PoolChangeRequest): Promise<Started> {
  for (const serial of SERIALS) await cairn.drive(serial);
  const shown = await cairn.trpc.pools.previewChange.mutate({ request });
  if (!shown.ok) throw new Error(`It cannot be done: ${JSON.stringify(shown.issues)}`);
  const operation = await cairn.trpc.pools.change.mutate({ request, ...cairn.confirm(shown.preview) });
  return { guid: request.poolGroupGuid, operation };
}

async function start(cairn: Cairn, verb: Verb, made: PoolCreateRequestInput, guid: string): Promise<Started> {
  switch (verb) {
    case 'create':
      return cairn.startPool(made);
    case 'expand':
      return change(cairn, { verb, poolGroupGuid: guid, drives: [{ serial: 'C' }] });
    case 'replace':
      return change(cairn, { verb, poolGroupGuid: guid, member: { serial: 'A' }, drive: { serial: 'D' } });
    case 'destroy': {
      const preview = await cairn.trpc.pools.previewRemove.query({ guid });
      return { guid, operation: await cairn.trpc.pools.remove.mutate({ guid, ...cairn.confirm(preview) }) };
    }
  }
}

const markerOf = ({ mountPath }: Pool): string => `${mountPath}/marker`;
const sumOf = (cairn: Cairn, pool: Pool): Promise<string> =>
  cairn.machine.check(`sha256sum <${markerOf(pool)}`);
const serialsOf = (pool: Pool): (string | null)[] => pool.members.map(({ serial }) => serial).toSorted();

/** The one place in a plan that no step holds: what the operation had made or erased is what the verdict says. */
async function expectClearEnd(cairn: Cairn, verb: Verb, cut: Cut, marker: string): Promise<void> {
  const { state, verdict, evidence, error }: Operation = await cairn.waitForOperation(cut.operation);
  const ends = ['taken-back failed', 'finished-anyway succeeded', 'continued succeeded'];
  expect(ends, `${JSON.stringify(error)} ${evidence.join(' ')}`).toContain(`${verdict} ${state}`);
  const { before, after } = STEPS.find((step) => step.verb === verb) ?? STEPS[0];
  const members = state === 'succeeded' ? after : before;
  const pools = await cairn.trpc.pools.list.query();
  expect(pools.map(({ guid }) => guid)).toEqual(members ? [cut.guid] : []);
  if (members) {
    const pool = await cairn.until(
      () => cairn.pool(cut.guid),
      (now) => now.mounted && now.poolStatus !== null && now.poolStatus !== 'degraded',
    );
    expect(pool.state).toBe('ready');
    expect(serialsOf(pool)).toEqual(members.toSorted());
    if (verb !== 'create') expect(await sumOf(cairn, pool)).toBe(marker);
    expect(await cairn.machine.check('ls /mnt')).toBe(pool.mountPath.slice('/mnt/'.length));
  } else expect(await cairn.machine.check('ls /mnt')).toBe('');
  const free = { group: 'free', signatures: [], partitions: [], mounts: [], contentHash: 'blank' };
  for (const serial of SERIALS)
    if (!members?.some((member) => member === serial)) {
      const fits = (drive: { group: string; contentHash: string }) =>
        drive.group === 'free' && drive.contentHash === 'blank';
      await cairn.until(() => cairn.drive(serial), fits);
      expect(await cairn.drive(serial)).toMatchObject(free);
    }
}

describe.each(PLUGINS)('a power cut in a $plugin pool', ({ plugin, layout, options = {} }) => {
  const cuts = new Map<Verb, Cut[]>();
  let credentials: Credentials | null = null;
  let marker = '';
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-cuts-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('finds every operation held at its steps', { timeout: CASE_MS }, async () => {
    const drives = SERIALS.map((serial) => ({ serial, sizeBytes: 400 * MiB }));
    const cairn = await lab.cairn({ drives, wallLimitMs: CASE_MS });
    await cairn.machine.push(POINTS, '');
    await cairn.start({ env: HELD });
    ({ credentials } = cairn);
    const label = `Pool ${plugin}`;
    const made = { label, plugin, layout, options, drives: [{ serial: 'A' }, { serial: 'B' }] };
    let guid = '';
    for (const { verb } of STEPS) {
      const recorded = await recordCuts(cairn, () => start(cairn, verb, made, guid), {
        folder: join(folder, verb),
        every,
      });
      expect(recorded.length).toBeGreaterThan(0);
      cuts.set(verb, recorded);
      guid = recorded[0]?.guid ?? '';
      if (verb !== 'create') continue;
      const pool = await cairn.until(
        () => cairn.pool(guid),
        (now) => now.poolStatus === 'active',
      );
      await cairn.machine.check(`head -c 4M /dev/urandom >${markerOf(pool)}; sync`);
      marker = await sumOf(cairn, pool);
    }
  });

  it.each(STEPS)(
    'in the middle of $verb ends clearly, with nothing left and nothing lost',
    { timeout: CASE_MS },
    async ({ verb }) => {
      const recorded = cuts.get(verb) ?? [];
      expect(recorded.length).toBeGreaterThan(0);
      const failed: string[] = [];
      for (const cut of recorded) {
        if (!credentials) throw new Error('Nothing was recorded.');
        try {
          const cairn = await lab.cairnOn(cut.drives, credentials);
          await expectClearEnd(cairn, verb, cut, marker);
          process.stdout.write(`lab: ${plugin}: power cut at ${cut.place}: well\n`);
        } catch (error) {
          failed.push(`${cut.place}: ${error instanceof Error ? error.message : String(error)}`);
          process.stdout.write(`lab: ${plugin}: power cut at ${cut.place}: FAILED\n`);
        } finally {
          await lab.close();
        }
      }
      expect(failed).toEqual([]);
    },
  );
});
