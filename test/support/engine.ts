/** The operation engine on a real database and real programs, with folders and files as the machine; no drives. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Look, LookResult, Step } from '$lib/plugin-api/plan';
import { systemClock, type Clock } from '$lib/server/clock';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase } from '$lib/server/db/migrate';
import { AppError } from '$lib/server/errors';
import { createBus } from '$lib/server/events/bus';
import { createFeed } from '$lib/server/events/feed';
import { createCommands } from '$lib/server/host/command';
import type { Host } from '$lib/server/host/types';
import { createLog } from '$lib/server/log';
import { createOperations } from '$lib/server/operations/operations';
import type { OperationDefinition, Operations, Prepared } from '$lib/server/operations/types';
import type { Actor } from '$lib/shared/wire/session';

export const actor: Actor = { kind: 'user', id: 'u', name: 'ann', role: 'admin', sessionId: null };

export interface Bench {
  dir: string;
  db: Db;
  /** What the record owner was told, in order. */
  told: string[];
  /** A second engine on the same database, as after a restart; what the first one does is no longer looked at. */
  restart(crashAt?: string): Operations;
  /** The machine's boot, as the kernel names it; another one is a reboot. */
  bootId: string;
  operations: Operations;
  /** Names in the folder that the steps work on. */
  made(): string[];
  close(): Promise<void>;
}

/** Ids of the drives that are there. */
export const plugged = new Set<string>();
const blockDevices = {
  current: () => [],
  pathOf: ({ drive }: { drive: string }) => (plugged.has(drive) ? `/dev/${drive}` : null),
  driveIdOf: () => null,
};

/** done: the folder or file is there; `foreign:<path>` looks can be made to meet something foreign by a file of that name. */
async function look({ look: name, args, negate }: Look): Promise<LookResult> {
  const path = String(args.path);
  // As often as there are bytes in that file, the program that looks does not end in time.
  const [left = 0] = existsSync(`${path}.slow`) ? [readFileSync(`${path}.slow`).length] : [];
  if (left > 0) {
    writeFileSync(`${path}.slow`, '.'.repeat(left - 1));
    throw new AppError('command_timeout', 'stat did not end within 5000 ms.');
  }
  if (existsSync(`${path}.foreign`))
    return { status: 'foreign', evidence: `${path} belongs to somebody else.` };
  const there =
    name === 'never'
      ? false
      : existsSync(path) && (name !== 'content' || readFileSync(path, 'utf8') === args.content);
  const done = negate ? !there : there;
  return { status: done ? 'done' : 'absent', evidence: `${path} is ${there ? 'there' : 'not there'}.` };
}

export const folderStep = (dir: string, name: string): Step => ({
  name: `make-${name}`,
  title: `Make ${name}`,
  run: { do: 'make-directory', path: join(dir, name), mode: 0o755 },
  undo: [{ do: 'remove-directory', path: join(dir, name) }],
  look: { look: 'there', args: { path: join(dir, name) } },
});
export const removeStep = (dir: string, name: string): Step => ({
  name: `remove-${name}`,
  title: `Remove ${name}`,
  run: { do: 'remove-directory', path: join(dir, name) },
  undo: 'impossible',
  look: { look: 'there', args: { path: join(dir, name) }, negate: true },
});
export const commandStep = (name: string, program: string, argv: string[], path: string): Step => ({
  name,
  title: `Run ${name}`,
  run: { do: 'exec', program, argv },
  undo: [{ do: 'remove-file', path }],
  look: { look: 'there', args: { path } },
});

export const PROGRAMS = {
  touch: '/usr/bin/touch',
  false: '/usr/bin/false',
  sleep: '/usr/bin/sleep',
  env: '/usr/bin/env',
  ls: '/usr/bin/ls',
};

export function openBench(
  options: {
    crashAt?: string;
    clock?: Clock;
    leaseMs?: number;
    keepOperations?: number;
    sinceBootMs?: () => number;
  } = {},
): Bench {
  const home = mkdtempSync(join(tmpdir(), 'cairn-engine-'));
  const dir = mkdtempSync(join(home, 'work-'));
  const db = openDatabase(join(home, 'cairn.db'));
  migrateDatabase(db, 'drizzle');
  const log = createLog('silent');
  const told: string[] = [];
  const commands = createCommands(Object.values(PROGRAMS));
  const host = {
    commands,
    blockDevices,
    argument: (argument: unknown) => String(argument),
    bootId: () => bench.bootId,
  } as unknown as Host;

  const definition = (
    kind: string,
    onInterrupt: OperationDefinition['onInterrupt'],
    deadlineMs = 60_000,
  ): OperationDefinition => ({
    kind,
    onInterrupt,
    deadlineMs,
    prepare: async (request) => request as unknown as Prepared,
    record: {
      begin: () => void told.push('begin'),
      succeed: () => void told.push('succeed'),
      takenBack: (_tx, _id, _prepared, error) => void told.push(`takenBack ${error.code}`),
      needsYou: () => void told.push('needsYou'),
    },
  });
  const built: Operations[] = [];
  const build = (crashAt: string): Operations => {
    const operations = createOperations({
      db,
      host,
      look,
      bus: createBus(log),
      feed: createFeed(),
      clock: options.clock ?? systemClock,
      ...(options.sinceBootMs ? { sinceBootMs: options.sinceBootMs } : {}),
      config: {
        recordsDir: join(home, 'records'),
        crashAt,
        leaseMs: options.leaseMs ?? 15_000,
        keepOperations: options.keepOperations ?? 500,
        keepDays: 90,
      },
      log,
    });
    built.push(operations);
    operations.define(definition('test.make', 'take-back'));
    operations.define(definition('test.remove', 'finish'));
    operations.define(definition('test.change', 'continue'));
    operations.define(definition('test.brief', 'take-back', 1_000));
    return operations;
  };
  const bench: Bench = {
    dir,
    db,
    told,
    bootId: 'boot-1',
    operations: build(options.crashAt ?? ''),
    restart(crashAt = '') {
      bench.operations = build(crashAt);
      return bench.operations;
    },
    made: () => readdirSync(dir).sort(),
    async close() {
      await Promise.all(built.map((operations) => operations.stop(0)));
      closeDatabase(db);
      rmSync(home, { recursive: true, force: true });
    },
  };
  return bench;
}

/** A prepared plan of these steps, as the request of the test kinds. */
export const planOf = (steps: Step[], extra: Partial<Prepared> = {}) =>
  JSON.parse(
    JSON.stringify({
      input: { steps: steps.map((step) => step.name) },
      title: 'Test',
      subject: { type: 'host', id: 'host', label: 'this host' },
      steps,
      locks: ['test'],
      drives: [],
      erases: [],
      confirmText: null,
      notes: [],
      ...extra,
    } satisfies Prepared),
  ) as Record<string, never>;
