/** What cases about md pools of Cairn in a guest share: making, changing and filling them, and what is left on their drives. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../../src/lib/shared/wire/operations.ts';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import type { PoolChangeRequest } from '../../src/lib/shared/wire/requests.ts';
import type { Cairn } from './cairn.ts';
import { MiB, type DriveSpec } from './drives.ts';
import type { Machine } from './machine.ts';

/** Emulated, and the machine may have other work. */
export const LONG = { timeoutMs: 240_000 };
const LOOK_MS = 100;

/** Large enough for every filesystem. */
export const drivesOf = (...serials: string[]): DriveSpec[] =>
  serials.map((serial) => ({ serial, sizeBytes: 336 * MiB }));

export const make = (
  cairn: Cairn,
  of: { label: string; plugin: string; layout: string; serials: string[]; options?: Pool['options'] },
): Promise<Pool> =>
  cairn.createPool(
    {
      ...{ label: of.label, plugin: of.plugin, layout: of.layout, options: of.options ?? {} },
      drives: of.serials.map((serial) => ({ serial })),
    },
    LONG,
  );

export const members = ({ members }: Pool): string[] =>
  members.map(({ serial, status }) => `${serial} ${status}`);
export const untilPool = (cairn: Cairn, guid: string, fits: (pool: Pool) => boolean): Promise<Pool> =>
  cairn.until(() => cairn.pool(guid), fits, LONG);

/** Begins a change from the plan that is shown, as a person does. @throws Error with every issue */
export async function begin(cairn: Cairn, request: PoolChangeRequest): Promise<Operation> {
  const shown = await cairn.trpc.pools.previewChange.mutate({ request });
  if (!shown.ok) throw new Error(`It cannot be done: ${JSON.stringify(shown.issues)}`);
  return cairn.trpc.pools.change.mutate({ request, ...cairn.confirm(shown.preview) });
}
export const change = async (cairn: Cairn, request: PoolChangeRequest): Promise<Operation> =>
  cairn.success(await begin(cairn, request), LONG);

/** What was seen of an operation and its pool while it went on. */
export interface Watched {
  percents: number[];
  statuses: Set<string>;
}
/** Looks at both until the operation has ended well; the pool once more right after that. */
export async function watch(cairn: Cairn, guid: string, { id }: Operation): Promise<Watched> {
  const seen: Watched = { percents: [], statuses: new Set() };
  for (;;) {
    const operation = await cairn.trpc.operations.get.query({ id });
    for (const member of (await cairn.pool(guid)).members) seen.statuses.add(member.status);
    const percent = operation.progress?.percent;
    if (typeof percent === 'number') seen.percents.push(percent);
    if (operation.state !== 'running') break;
    await sleep(LOOK_MS);
  }
  await cairn.success(id, LONG);
  for (const member of (await cairn.pool(guid)).members) seen.statuses.add(member.status);
  return seen;
}

/** A file whose content is nowhere else. @returns its checksum */
export const fill = (machine: Machine, { mountPath }: Pool, name = 'file'): Promise<string> =>
  machine.check(
    `head -c 8M /dev/urandom >${mountPath}/${name}; sync -f ${mountPath}; sha256sum <${mountPath}/${name}`,
  );
/** Read from the drives, not from memory. */
export const sum = (machine: Machine, { mountPath }: Pool, name = 'file'): Promise<string> =>
  machine.check(`echo 3 >/proc/sys/vm/drop_caches; sha256sum <${mountPath}/${name}`);

/** What is left on drives, as wipefs and mdadm tell; nothing for clean ones. */
export const leftOn = (machine: Machine, ...serials: string[]): Promise<string> =>
  machine.check(`
    for serial in ${serials.join(' ')}; do
      drive=$(lab-drive $serial)
      wipefs --no-act "$drive"
      ls "$drive"[0-9] 2>/dev/null
      # Where a member was: under the first partition of every table that Cairn makes.
      dd if="$drive" bs=4096 skip=257 count=1 status=none | grep -qaP '\\xfc\\x4e\\x2b\\xa9' && echo "$serial has a superblock"
    done; true`);
