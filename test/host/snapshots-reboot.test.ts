/** The power goes in the middle of a roll back, at each of its steps. A reboot is an unmount and a boot of another name. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '$lib/server/clock';
import { operations as operationTable, steps as stepTable } from '$lib/server/db/schema';
import { createLog } from '$lib/server/log';
import { createOperations } from '$lib/server/operations/operations';
import type { Operations } from '$lib/server/operations/types';
import { defineSnapshotOperations } from '$lib/server/snapshots/operations';
import type { Operation } from '$lib/shared/wire/operations';
import { createSnapshotStack, type SnapshotStack } from '../support/snapshot-stack';
import { TESTER } from '../support/storage-stack';

const KIND = 'pool.snapshot.roll-back';
/** What works on the unmounted storage, in order; with `mount` it is over. */
const STEPS = [
  ...['unmount', 'open-top-level', 'copy-snapshot', 'hand-over-snapshots', 'keep-state', 'put-in-place'],
  ...['protect-kept', 'choose-copy', 'close-top-level'],
];
/** Before the act and after it, once with a mount that Cairn did not make: each step meets both. */
const CASES = STEPS.flatMap((step) => [
  { step, point: 'acting', boot: 'stays unmounted' } as const,
  { step, point: 'acted', boot: 'is mounted by PID 1' } as const,
]);

let stack: SnapshotStack;
let at = '';
let guid = '';
const engines: Operations[] = [];
beforeEach(async () => {
  stack = await createSnapshotStack({ drives: 2 });
  const drives = stack.loops.drives.map(({ serial }) => ({ serial }));
  ({ guid } = await stack.create({ label: 'photos', plugin: 'btrfs', layout: 'raid1', drives }));
  at = stack.pools.get(guid).mountPath;
  writeFileSync(join(at, 'letter'), 'first');
  await stack.take(guid, 'one');
  writeFileSync(join(at, 'letter'), 'second');
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop(0)));
  await stack.close();
});

function engine(crashAt = ''): Operations {
  const { db, host, bus, feed, config, plugins, drives } = stack;
  const [log, clock] = [createLog('silent'), systemClock];
  const made = createOperations({
    ...{ db, host, look: plugins.look, bus, feed, clock, log },
    config: { ...config, crashAt },
  });
  defineSnapshotOperations(made, { db, host, bus, clock, config, log, plugins, drives });
  engines.push(made);
  return made;
}
const mounted = (): boolean => stack.host.mounts().some((mount) => mount.path === at);
const letter = (...where: string[]): string => readFileSync(join(at, ...where, 'letter'), 'utf8');

/** @returns the id of a roll back that the power cut stopped there */
async function cutAt(step: string, point: 'acting' | 'acted' | 'begun', boot: string): Promise<string> {
  const dying = engine(`${point}@${KIND}/${step}:wait-3600000`);
  const { id } = await dying.start({
    ...{ kind: KIND, request: { poolGroupGuid: guid, name: 'one' }, actor: TESTER },
  });
  const state = (): string | undefined => dying.get(id).steps.find(({ name }) => name === step)?.state;
  while (state() !== (point === 'begun' ? 'begun' : 'acting')) await sleep(5);
  // The point lies a moment behind the commit, and the act before it.
  await sleep(point === 'acted' ? 400 : 50);
  while (mounted()) execFileSync('/usr/bin/umount', ['--', at]);
  stack.db.update(stepTable).set({ bootId: 'earlier' }).where(eq(stepTable.operationId, id)).run();
  if (boot === 'is mounted by PID 1') {
    const [first, second] = stack.loops.drives.map(({ path }) => path);
    execFileSync('/usr/bin/mount', ['-o', `device=${first},device=${second}`, '--', first ?? '', at]);
  }
  return id;
}
async function recovered(id: string): Promise<Operation> {
  const next = engine();
  await next.recover();
  return next.wait(id);
}

describe('a roll back that a power cut stops', () => {
  it.each(CASES)('at $step ($point) goes on when the pool $boot', async ({ step, point, boot }) => {
    const operation = await recovered(await cutAt(step, point, boot));
    expect(operation).toMatchObject({ state: 'succeeded', verdict: 'continued' });
    const kept = (await stack.names(guid)).find((name) => name !== 'one') ?? '';
    expect([letter(), letter('.snapshots', kept), letter('.snapshots', 'one')]).toEqual([
      ...['first', 'second', 'first'],
    ]);
    expect(stack.host.mounts().filter((mount) => mount.path === at)).toHaveLength(1);
    expect((await stack.snapshots.read(guid)).rollBackWhy).toBeNull();
  });

  it.each(CASES)(
    'at $step ($point) after it was cancelled is taken back when the pool $boot',
    async ({ step, point, boot }) => {
      const id = await cutAt(step, point, boot);
      stack.db
        .update(operationTable)
        .set({ cancelRequestedAt: Date.now() })
        .where(eq(operationTable.id, id))
        .run();
      expect(await recovered(id)).toMatchObject({ state: 'cancelled', verdict: 'taken-back' });
      expect([letter(), letter('.snapshots', 'one')]).toEqual(['second', 'first']);
      expect(await stack.names(guid)).toEqual(['one']);
      expect((await stack.snapshots.read(guid)).rollBackWhy).toBeNull();
    },
  );

  it.each(['is mounted by PID 1', 'stays unmounted'])(
    'once it is mounted goes on and keeps what was written since, when the pool %s',
    async (boot) => {
      const id = await cutAt('refresh-identity', 'begun', boot);
      if (boot === 'is mounted by PID 1') writeFileSync(join(at, 'since'), 'new');
      expect(await recovered(id)).toMatchObject({ state: 'succeeded' });
      expect(letter()).toBe('first');
      if (boot === 'is mounted by PID 1') expect(readFileSync(join(at, 'since'), 'utf8')).toBe('new');
      expect(stack.host.mounts().filter((mount) => mount.path === at)).toHaveLength(1);
    },
  );
});
