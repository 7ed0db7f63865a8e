/** Snapshots of a btrfs pool as scenarios of the crash matrix. Whatever dies when: the files are those of before or of after. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolSnapshots } from '$lib/shared/wire/snapshots';
import type { Appliance } from '../support/appliance';
import type { Scenario } from './cases';
import { mustEnd, serials } from './scenarios';

const GUID = `${process.pid.toString(16).padStart(8, '0')}-3c1d-4e8a-9f60-0000000000a1`;
const POOL = `/pools/${GUID}`;

const mountPath = (appliance: Appliance): string =>
  appliance.query<{ path: string }>('SELECT mount_path AS path FROM pools WHERE guid = ?', GUID)[0]?.path ??
  '';
const letter = (appliance: Appliance): string => join(mountPath(appliance), 'letter');

async function list(appliance: Appliance): Promise<PoolSnapshots['snapshots']> {
  const answer = await appliance.rest<PoolSnapshots>('GET', `${POOL}/snapshots`);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body.snapshots;
}
const start = (appliance: Appliance, verb: string, name: string) =>
  appliance.trpc('snapshots.start', { request: { verb, poolGroupGuid: GUID, name } });
const take = (appliance: Appliance, name: string) => start(appliance, 'create', name);
const remove = (appliance: Appliance, name: string) => start(appliance, 'delete', name);

async function pool(appliance: Appliance): Promise<void> {
  if (appliance.query('SELECT 1 FROM pools WHERE guid = ?', GUID).length > 0) return;
  const [first, second] = serials(appliance);
  const answer = await appliance.rest('POST', '/pools', {
    ...{ poolGroupGuid: GUID, label: 'snaps', plugin: 'btrfs', layout: 'raid1' },
    drives: [{ serial: first }, { serial: second }],
  });
  await mustEnd(appliance, 'pool.create', answer);
}

/** Exactly these snapshots: "old" holds the letter as it was first. */
async function only(appliance: Appliance, ...wanted: string[]): Promise<void> {
  await pool(appliance);
  for (const { name } of await list(appliance))
    if (!wanted.includes(name))
      await mustEnd(appliance, 'pool.snapshot.delete', await remove(appliance, name));
  const there = (await list(appliance)).map(({ name }) => name);
  for (const name of wanted.filter((one) => !there.includes(one))) {
    writeFileSync(letter(appliance), 'first');
    await mustEnd(appliance, 'pool.snapshot.create', await take(appliance, name));
  }
  writeFileSync(letter(appliance), 'second');
}

/**
 * What the snapshots and the files are, with the names of what was kept made equal: `second` is in the pool or in what was
 * kept, always.
 */
function snapshotState(appliance: Appliance): string[] {
  const at = mountPath(appliance);
  const text = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '-');
  const rows = appliance.query<{ name: string }>('SELECT name FROM pool_snapshots ORDER BY made_at');
  const kept = rows.find(({ name }) => name.startsWith('before-roll-back-'))?.name;
  return [
    `now ${text(letter(appliance))}`,
    `old ${text(join(at, '.snapshots/old/letter'))}`,
    `new ${text(join(at, '.snapshots/new/letter'))}`,
    `kept ${kept ? text(join(at, '.snapshots', kept, 'letter')) : '-'}`,
  ];
}

export const snapshotScenarios: Scenario[] = [
  {
    title: 'pool.snapshot.create, btrfs',
    kind: 'pool.snapshot.create',
    setUp: (appliance) => only(appliance, 'old'),
    begin: (appliance) => take(appliance, 'new'),
    backward: true,
    observe: snapshotState,
  },
  {
    title: 'pool.snapshot.delete, btrfs',
    kind: 'pool.snapshot.delete',
    setUp: (appliance) => only(appliance, 'old', 'new'),
    begin: (appliance) => remove(appliance, 'new'),
    backward: false,
    observe: snapshotState,
  },
  {
    title: 'pool.snapshot.roll-back, btrfs',
    kind: 'pool.snapshot.roll-back',
    setUp: (appliance) => only(appliance, 'old'),
    begin: (appliance) => start(appliance, 'roll-back', 'old'),
    backward: true,
    cancelAfter: 'close-top-level',
    observe: snapshotState,
  },
];
