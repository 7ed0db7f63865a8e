/** The operations of the appliance as scenarios of the crash matrix. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Appliance } from '../support/appliance';
import type { Scenario } from './cases';
import { settled } from './matrix';

export interface PoolRequest {
  poolGroupGuid: string;
  label: string;
  plugin: string;
  layout: string;
  drives: { serial: string }[];
  options?: Record<string, string | boolean>;
}

export const serials = (appliance: Appliance): string[] =>
  appliance
    .query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1 ORDER BY serial')
    .map((row) => row.serial);

const latestOf = (appliance: Appliance, kind: string): string =>
  appliance.query<{ id: string }>(
    'SELECT id FROM operations WHERE kind = ? ORDER BY seq DESC LIMIT 1',
    kind,
  )[0]?.id ?? '';

export async function mustEnd(
  appliance: Appliance,
  kind: string,
  answer: { status: number; body: unknown },
): Promise<void> {
  if (answer.status >= 300) throw new Error(`${kind} was refused: ${JSON.stringify(answer.body)}`);
  const operation = await settled(appliance, latestOf(appliance, kind));
  if (operation.state !== 'succeeded')
    throw new Error(`${kind} ended ${operation.state}: ${JSON.stringify(operation.error)}`);
}

export const poolState = (appliance: Appliance, guid: string): string | undefined =>
  appliance.query<{ state: string }>('SELECT state FROM pools WHERE guid = ?', guid)[0]?.state;

async function createPool(
  appliance: Appliance,
  request: PoolRequest,
): Promise<{ status: number; body: unknown }> {
  return appliance.rest('POST', '/pools', request);
}

/** Deletes with the confirm code that the refusal names, as a script would. */
async function removePool(appliance: Appliance, guid: string): Promise<{ status: number; body: unknown }> {
  const refused = await appliance.rest<{ error?: { details?: { confirmCode?: string } } }>(
    'DELETE',
    `/pools/${guid}`,
  );
  const code = refused.body.error?.details?.confirmCode;
  return code ? appliance.rest('DELETE', `/pools/${guid}?confirmCode=${code}`) : refused;
}

export async function noPool(appliance: Appliance, guid: string): Promise<void> {
  if (poolState(appliance, guid)) await mustEnd(appliance, 'pool.remove', await removePool(appliance, guid));
}

export const mountPathOf = (appliance: Appliance, guid: string): string | undefined =>
  appliance.query<{ mount_path: string }>('SELECT mount_path FROM pools WHERE guid = ?', guid)[0]?.mount_path;

/** A file whose content must be the same whatever happens to the pool: the same bytes in every case. */
const MARKER = Buffer.alloc(4 * 1024 ** 2, createHash('sha512').update('a photo').digest());
function keepMarker(appliance: Appliance, guid: string): void {
  const path = mountPathOf(appliance, guid);
  if (!path) throw new Error(`the pool ${guid} is nowhere`);
  const file = join(path, 'photo.bin');
  if (existsSync(file)) return;
  writeFileSync(file, MARKER);
  spawnSync('/usr/bin/sync', ['--file-system', file]);
}

/** Mounted, with the marker in it. */
export async function mountedPool(appliance: Appliance, request: PoolRequest): Promise<void> {
  const state = poolState(appliance, request.poolGroupGuid);
  if (state === undefined) await mustEnd(appliance, 'pool.create', await createPool(appliance, request));
  if (state === 'unmounted')
    await mustEnd(
      appliance,
      'pool.mount',
      await appliance.rest('POST', `/pools/${request.poolGroupGuid}/mount`),
    );
  keepMarker(appliance, request.poolGroupGuid);
}

async function unmountedPool(appliance: Appliance, request: PoolRequest): Promise<void> {
  await mountedPool(appliance, request);
  await mustEnd(
    appliance,
    'pool.unmount',
    await appliance.rest('POST', `/pools/${request.poolGroupGuid}/unmount`),
  );
}

// The kernel tells btrfs file systems apart by UUID alone, and suites run side by side: each process has its own.
export const guid = (last: string): string =>
  `${process.pid.toString(16).padStart(8, '0')}-3c1d-4e8a-9f60-0000000000${last}`;
interface Variant {
  title: string;
  request: (appliance: Appliance) => PoolRequest;
}
const variants: Variant[] = [
  {
    title: 'single-drive ext4 on a partition',
    request: (appliance) => ({
      poolGroupGuid: guid('01'),
      label: 'ext',
      plugin: 'single-drive',
      layout: 'single',
      drives: serials(appliance)
        .slice(0, 1)
        .map((serial) => ({ serial })),
      options: { filesystem: 'ext4', partition: true },
    }),
  },
  {
    title: 'single-drive xfs on a whole drive',
    request: (appliance) => ({
      poolGroupGuid: guid('02'),
      label: 'xfs',
      plugin: 'single-drive',
      layout: 'single',
      drives: serials(appliance)
        .slice(0, 1)
        .map((serial) => ({ serial })),
      options: { filesystem: 'xfs', partition: false },
    }),
  },
  {
    title: 'btrfs raid1',
    request: (appliance) => ({
      poolGroupGuid: guid('03'),
      label: 'mirror',
      plugin: 'btrfs',
      layout: 'raid1',
      drives: serials(appliance)
        .slice(0, 2)
        .map((serial) => ({ serial })),
    }),
  },
];

export const poolRequests = variants.map(({ request }) => request);

const creations: Scenario[] = variants.map(({ title, request }) => ({
  title: `pool.create, ${title}`,
  kind: 'pool.create',
  setUp: (appliance) => noPool(appliance, request(appliance).poolGroupGuid),
  begin: (appliance) => createPool(appliance, request(appliance)),
  backward: true,
}));
/** The top level of a btrfs is mounted for a moment only, which from the last step back is over. */
export const createScenarios: Scenario[] = [
  ...creations,
  ...creations.slice(2, 3).map((scenario) => ({
    ...scenario,
    ...{ title: `${scenario.title}, while its top level is mounted`, forward: false },
    cancelAfter: 'choose-data-subvolume',
  })),
];

// The whole-drive variant removes with the same steps as the others.
export const removeScenarios: Scenario[] = variants
  .filter(({ title }) => !title.includes('xfs'))
  .map(({ title, request }) => ({
    title: `pool.remove, ${title}`,
    kind: 'pool.remove',
    setUp: (appliance) => mountedPool(appliance, request(appliance)),
    begin: (appliance) => removePool(appliance, request(appliance).poolGroupGuid),
    backward: false,
  }));

export const mountScenarios: Scenario[] = variants
  .filter(({ title }) => !title.includes('xfs'))
  .flatMap(({ title, request }): Scenario[] => [
    {
      title: `pool.mount, ${title}`,
      kind: 'pool.mount',
      setUp: (appliance) => unmountedPool(appliance, request(appliance)),
      begin: (appliance) => appliance.rest('POST', `/pools/${request(appliance).poolGroupGuid}/mount`),
      backward: true,
    },
    {
      title: `pool.unmount, ${title}`,
      kind: 'pool.unmount',
      setUp: (appliance) => mountedPool(appliance, request(appliance)),
      begin: (appliance) => appliance.rest('POST', `/pools/${request(appliance).poolGroupGuid}/unmount`),
      backward: false,
    },
  ]);

export const renameScenarios: Scenario[] = variants.map(({ title, request }) => ({
  title: `pool.rename, ${title}`,
  kind: 'pool.rename',
  async setUp(appliance) {
    const wanted = request(appliance);
    await mountedPool(appliance, wanted);
    const [row] = appliance.query<{ label: string }>(
      'SELECT label FROM pools WHERE guid = ?',
      wanted.poolGroupGuid,
    );
    if (row?.label !== wanted.label)
      await mustEnd(
        appliance,
        'pool.rename',
        await appliance.trpc('pools.rename', { guid: wanted.poolGroupGuid, label: wanted.label }),
      );
  },
  begin: (appliance) =>
    appliance.trpc('pools.rename', { guid: request(appliance).poolGroupGuid, label: 'renamed' }),
  backward: false,
}));
