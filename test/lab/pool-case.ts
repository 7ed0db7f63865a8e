/** What cases about pools of any plugin have in common: changes as a person makes them, content, what is left on drives. */
import { expect } from 'vitest';
import type { Issue } from '../../src/lib/shared/error-codes.ts';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import type { PoolChangeRequest } from '../../src/lib/shared/wire/requests.ts';
import type { Cairn } from './cairn.ts';
import type { Machine } from './machine.ts';

/** Emulated, and the machine may have other work. */
export const LONG = { timeoutMs: 180_000 };
/** A drive's loss has to be told within two seconds, and so has an answer to be there. */
export const PROMPT_MS = 2_000;

const SIZE = '12M';

/** The plan is shown, then confirmed. @throws Error with why it is refused, or what its commands printed */
export async function change(cairn: Cairn, request: PoolChangeRequest): Promise<void> {
  const shown = await cairn.trpc.pools.previewChange.mutate({ request });
  if (!shown.ok) throw new Error(`It is refused: ${JSON.stringify(shown.issues)}`);
  await cairn.success(
    await cairn.trpc.pools.change.mutate({ request, ...cairn.confirm(shown.preview) }),
    LONG,
  );
}
/** Why it cannot be done. @throws Error when it could be */
export async function refusedChange(cairn: Cairn, request: PoolChangeRequest): Promise<Issue[]> {
  const shown = await cairn.trpc.pools.previewChange.mutate({ request });
  if (shown.ok) throw new Error('It is not refused.');
  return shown.issues;
}

export const statusOf = ({ members }: Pool): Record<string, string> =>
  Object.fromEntries(members.map(({ serial, status }) => [serial ?? '', status]));

export const untilPool = (
  cairn: Cairn,
  { guid }: Pick<Pool, 'guid'>,
  fits: (pool: Pool) => boolean,
): Promise<Pool> => cairn.until(() => cairn.pool(guid), fits, LONG);

/** From now on: the pool is degraded in time, and says which drive it is. */
export async function expectDegraded(cairn: Cairn, { guid }: Pool, serial: string): Promise<Pool> {
  const since = performance.now();
  const seen = await untilPool(cairn, { guid }, ({ poolStatus }) => poolStatus === 'degraded');
  expect(performance.now() - since).toBeLessThan(PROMPT_MS);
  expect(seen.healthText).toContain(serial);
  expect(Object.keys(statusOf(seen)).filter((one) => statusOf(seen)[one] !== 'active')).toEqual([serial]);
  return seen;
}

/** A file whose content is nowhere else. @returns its checksum */
export const fill = (machine: Machine, { mountPath }: Pick<Pool, 'mountPath'>): Promise<string> =>
  machine.check(`head -c ${SIZE} /dev/urandom >${mountPath}/file; sync; sha256sum <${mountPath}/file`);
/** Of what is on the drives, not in memory. */
export const checksum = (machine: Machine, { mountPath }: Pick<Pool, 'mountPath'>): Promise<string> =>
  machine.check(`sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum <${mountPath}/file`);

/** Signatures and partitions of drives; nothing for clean ones. */
export const leftOn = async (machine: Machine, ...serials: string[]): Promise<string> => {
  const paths = (await machine.paths(...serials)).join(' ');
  return machine.check(
    `udevadm settle; for d in ${paths}; do wipefs --no-act $d; ls $d?* 2>/dev/null; done; true`,
  );
};
