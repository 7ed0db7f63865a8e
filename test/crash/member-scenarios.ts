/** Drives that join, leave and take another's place in a btrfs pool that is in use, as scenarios of the crash matrix. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Appliance } from '../support/appliance';
import { loopsBelow } from '../../src/cli/leftovers';
import { confirmed } from './confirmed';
import { limitSpeed } from './kernel-work';
import type { Scenario } from './cases';
import { guid, mountedPool, mountPathOf, mustEnd, serials, type PoolRequest } from './scenarios';

const MIB = 1024 ** 2;
const GROWING = guid('21');
const MIRROR = guid('22');
const CONTENT = guid('23');

const serial = (appliance: Appliance, index: number) => ({ serial: serials(appliance)[index] ?? '' });
const pool = (
  appliance: Appliance,
  poolGroupGuid: string,
  layout: string,
  indexes: number[],
): PoolRequest => ({
  ...{ poolGroupGuid, label: layout, plugin: 'btrfs', layout },
  drives: indexes.map((index) => serial(appliance, index)),
});
const membersOf = (appliance: Appliance, poolGuid: string): string[] =>
  appliance
    .query<{ serial: string }>('SELECT serial FROM pool_drives WHERE pool_guid = ? ORDER BY slot', poolGuid)
    .map((row) => row.serial);

function deviceOf(appliance: Appliance, index: number): string {
  const name = `${serial(appliance, index).serial}.img`;
  const loop = loopsBelow(appliance.dataDir).find(({ file }) => basename(file) === name);
  if (!loop) throw new Error(`${name} is not attached`);
  return loop.device;
}
function tool(program: string, ...argv: string[]): void {
  const { status, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}

const expand = (appliance: Appliance) =>
  confirmed(appliance, `/pools/${GROWING}/expand`, { drives: [serial(appliance, 1)] });
const removeDrive = (appliance: Appliance) =>
  appliance.rest('POST', `/pools/${GROWING}/remove-drive`, { member: serial(appliance, 1) });

/** The pool on one drive, or on two; what the second drive holds while it is not a member. */
async function growing(appliance: Appliance, drives: 1 | 2, content: 'blank' | 'ext4'): Promise<void> {
  await mountedPool(appliance, pool(appliance, GROWING, 'single', [0]));
  const now = membersOf(appliance, GROWING).length;
  if (now > drives) await mustEnd(appliance, 'pool.remove-drive', await removeDrive(appliance));
  if (drives === 1) {
    const device = deviceOf(appliance, 1);
    if (content === 'ext4') tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-U', CONTENT, device);
    else tool('/usr/sbin/wipefs', '--all', '--quiet', '--', device);
  }
  if (now < drives) await mustEnd(appliance, 'pool.expand', await expand(appliance));
}

const replace = (appliance: Appliance, old: number, fresh: number) =>
  confirmed(appliance, `/pools/${MIRROR}/replace`, {
    member: serial(appliance, old),
    drive: serial(appliance, fresh),
  });

/** A mirror on the first two drives with so much in it that copying it at the limited speed outlasts a case. */
async function mirror(appliance: Appliance): Promise<void> {
  await mountedPool(appliance, pool(appliance, MIRROR, 'raid1', [0, 1]));
  limitSpeed(MIRROR, false);
  const path = mountPathOf(appliance, MIRROR) ?? '';
  const bulk = join(path, 'bulk.bin');
  if (!existsSync(bulk)) {
    writeFileSync(bulk, Buffer.alloc(32 * MIB, 'film'));
    tool('/usr/bin/sync', '--file-system', bulk);
  }
  if (!membersOf(appliance, MIRROR).includes(serial(appliance, 1).serial))
    await mustEnd(appliance, 'pool.replace-drive', await replace(appliance, 2, 1));
}

/** Slow until the step that waits has begun, or the server is dead; then fast, unless it is to be taken back. */
async function hurryLater(appliance: Appliance, before: string | undefined): Promise<void> {
  for (; appliance.running; await sleep(30)) {
    const [last] = appliance.query<{ id: string; state: string | null }>(
      `SELECT o.id, (SELECT s.state FROM steps s WHERE s.operation_id = o.id AND s.name = 'rebuild') AS state
       FROM operations o WHERE o.kind = 'pool.replace-drive' ORDER BY o.seq DESC LIMIT 1`,
    );
    if (last && last.id !== before && last.state !== 'pending') break;
  }
  // The last case of all ends with everything that the appliance had.
  if (!existsSync(appliance.dataDir)) return;
  const [last] = latest(appliance);
  if (last && last.cancelled === null) limitSpeed(MIRROR, false);
}
const latest = (appliance: Appliance) =>
  appliance.query<{ id: string; cancelled: number | null }>(
    "SELECT id, cancel_requested_at AS cancelled FROM operations WHERE kind = 'pool.replace-drive' ORDER BY seq DESC LIMIT 1",
  );

export const memberScenarios: Scenario[] = [
  {
    title: 'pool.expand, btrfs by a drive with content',
    kind: 'pool.expand',
    setUp: (appliance) => growing(appliance, 1, 'ext4'),
    begin: expand,
    backward: false,
  },
  {
    title: 'pool.expand, btrfs by a blank drive, cancelled',
    kind: 'pool.expand',
    setUp: (appliance) => growing(appliance, 1, 'blank'),
    begin: expand,
    backward: true,
    forward: false,
  },
  {
    title: 'pool.remove-drive, btrfs from two drives to one',
    kind: 'pool.remove-drive',
    setUp: (appliance) => growing(appliance, 2, 'blank'),
    begin: removeDrive,
    backward: true,
    cancelAfter: 'convert-profiles',
  },
];

export const replaceScenarios: Scenario[] = [
  {
    title: 'pool.replace-drive, btrfs raid1',
    kind: 'pool.replace-drive',
    setUp: mirror,
    begin(appliance) {
      const [last] = latest(appliance);
      limitSpeed(MIRROR, true);
      void hurryLater(appliance, last?.id);
      return replace(appliance, 1, 2);
    },
    tidyUp: () => limitSpeed(MIRROR, false),
    backward: true,
    cancelAfter: 'start-replacement',
  },
];
