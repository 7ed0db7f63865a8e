/** Scrub, balance, letting go, and what stands in the way of a pool, as scenarios of the crash matrix. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Appliance } from '../support/appliance';
import {
  awaitNoBalance,
  balanceOf,
  beginScrub,
  countError,
  endBalance,
  endScrub,
  hasCounted,
  isScrubbing,
  limitSpeed,
  manyReferences,
  pausedBalance,
} from './kernel-work';
import type { Scenario } from './cases';
import { guid, mountedPool, mountPathOf, mustEnd, poolState, serials, type PoolRequest } from './scenarios';

const MIB = 1024 ** 2;
const MIRROR = guid('31');
const SINGLE = guid('32');

const request = (appliance: Appliance, kind: 'mirror' | 'single'): PoolRequest => ({
  ...(kind === 'mirror'
    ? { poolGroupGuid: MIRROR, plugin: 'btrfs', layout: 'raid1' }
    : { poolGroupGuid: SINGLE, plugin: 'single-drive', layout: 'single' }),
  label: kind,
  drives: serials(appliance)
    .slice(0, kind === 'mirror' ? 2 : 1)
    .map((serial) => ({ serial })),
});
const work = (appliance: Appliance, what: 'scrub' | 'balance', action: 'start' | 'stop') =>
  appliance.rest('POST', `/pools/${MIRROR}/${what}`, { action });

/** A mirror with so much in it that reading it at the limited speed outlasts a case. */
async function mirror(appliance: Appliance): Promise<string> {
  await mountedPool(appliance, request(appliance, 'mirror'));
  const path = mountPathOf(appliance, MIRROR) ?? '';
  const bulk = join(path, 'bulk.bin');
  if (!existsSync(bulk)) {
    writeFileSync(bulk, Buffer.alloc(32 * MIB, 'film'));
    // Not only in the log of the filesystem: a scrub reads what is committed.
    spawnSync('/usr/bin/sync', ['--file-system', bulk]);
  }
  return path;
}
const scrubNow = (appliance: Appliance): boolean => isScrubbing(mountPathOf(appliance, MIRROR) ?? '');
const balanceNow = (appliance: Appliance): string => balanceOf(mountPathOf(appliance, MIRROR) ?? '');

export const upkeepScenarios: Scenario[] = [
  {
    title: 'pool.start-scrub, btrfs',
    kind: 'pool.start-scrub',
    async setUp(appliance) {
      await endScrub(await mirror(appliance));
      limitSpeed(MIRROR, true);
    },
    begin: (appliance) => work(appliance, 'scrub', 'start'),
    observe: scrubNow,
    backward: true,
  },
  {
    title: 'pool.stop-scrub, btrfs',
    kind: 'pool.stop-scrub',
    setUp: async (appliance) => beginScrub(MIRROR, await mirror(appliance)),
    begin: (appliance) => work(appliance, 'scrub', 'stop'),
    observe: scrubNow,
    backward: false,
  },
  {
    // It is at work for seconds, and ended by the test: what is observed is that the pool stays as it is.
    title: 'pool.start-balance, btrfs',
    kind: 'pool.start-balance',
    async setUp(appliance) {
      const path = await mirror(appliance);
      await endScrub(path);
      await endBalance(path);
      manyReferences(path);
    },
    begin: (appliance) => work(appliance, 'balance', 'start'),
    tidyUp: async (appliance) => endBalance(mountPathOf(appliance, MIRROR) ?? ''),
    backward: true,
  },
  {
    title: 'pool.stop-balance, btrfs, a paused one',
    kind: 'pool.stop-balance',
    setUp: async (appliance) => pausedBalance(await mirror(appliance)),
    begin: (appliance) => work(appliance, 'balance', 'stop'),
    observe: balanceNow,
    backward: false,
  },
  {
    title: 'pool.clear-errors, btrfs',
    kind: 'pool.clear-errors',
    async setUp(appliance) {
      const path = await mirror(appliance);
      await endScrub(path);
      await awaitNoBalance(path);
      limitSpeed(MIRROR, false);
      const image = join(appliance.dataDir, 'sandbox', `${serials(appliance)[1]}.img`);
      countError(path, image, Buffer.alloc(4096, 'film'));
    },
    begin: (appliance) => appliance.rest('POST', `/pools/${MIRROR}/clear-errors`, {}),
    observe: (appliance) => hasCounted(mountPathOf(appliance, MIRROR) ?? ''),
    backward: false,
  },
];

/** In the records and mounted; adopted again when it was released. */
async function single(appliance: Appliance): Promise<void> {
  if (poolState(appliance, SINGLE) === undefined) {
    const answer = await appliance.trpc<{ key: string }[]>('found.refresh', undefined);
    if (answer.status >= 300) throw new Error(`looking was refused: ${JSON.stringify(answer.body)}`);
    const found = `single-drive:${SINGLE}`;
    if (JSON.stringify(answer.body).includes(SINGLE))
      await mustEnd(appliance, 'pool.adopt', await appliance.trpc('found.adopt', { found }));
  }
  await mountedPool(appliance, request(appliance, 'single'));
}

/** A zombie has ended: where PID 1 does not collect them, it stays in the list. */
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
let holder = 0;
/** A program of somebody else that works in the folder: in a session of its own, nobody's child. */
async function hold(folder: string): Promise<void> {
  if (holder !== 0 && isAlive(holder)) return;
  const starter = spawn('/usr/bin/setsid', ['--fork', '/bin/sh', '-c', 'echo $$; exec sleep 900'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  holder = await new Promise<number>((resolve) =>
    starter.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString().trim()))),
  );
}
const endHolder = (): void => {
  if (holder !== 0 && isAlive(holder)) process.kill(holder, 'SIGKILL');
};

const leftover = (appliance: Appliance): string => join(appliance.dataDir, 'mnt', 'left-behind');

export const aroundScenarios: Scenario[] = [
  {
    title: 'pool.release, single-drive ext4',
    kind: 'pool.release',
    setUp: single,
    begin: (appliance) => appliance.rest('POST', `/pools/${SINGLE}/release`, {}),
    backward: false,
  },
  {
    title: 'pool.end-processes, one that works in the pool',
    kind: 'pool.end-processes',
    async setUp(appliance) {
      await single(appliance);
      await hold(mountPathOf(appliance, SINGLE) ?? '');
    },
    begin: (appliance) => appliance.trpc('pools.endProcesses', { guid: SINGLE, pids: [holder] }),
    observe: () => isAlive(holder),
    backward: false,
    cells: 7,
    cleanUp: endHolder,
  },
  {
    title: 'pool.remove-leftover, an empty folder',
    kind: 'pool.remove-leftover',
    setUp: async (appliance) => void mkdirSync(leftover(appliance), { recursive: true }),
    begin(appliance) {
      const text = `The folder ${leftover(appliance)} is empty, and no pool needs it.`;
      return appliance.trpc('found.mend', { kind: 'leftover-folder', poolGuid: null, text });
    },
    backward: false,
    cells: 7,
  },
];
