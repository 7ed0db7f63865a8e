/** Host, drives, plugins, operations and pools on loop drives in a temporary data directory: everything but the network. */
import { mkdtempSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '$lib/server/clock';
import { readConfig, type Config } from '$lib/server/config';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase } from '$lib/server/db/migrate';
import { createDrives, type Drives } from '$lib/server/drives/drive';
import { defineDriveOperations } from '$lib/server/drives/operations';
import { createBus, type Bus } from '$lib/server/events/bus';
import { createFeed, type Feed } from '$lib/server/events/feed';
import { createHost, type LiveHost } from '$lib/server/host/host';
import { createLog } from '$lib/server/log';
import { createOperations } from '$lib/server/operations/operations';
import type { Operations } from '$lib/server/operations/types';
import { createPlugins, type Plugins } from '$lib/server/plugins/registry';
import { changePoolBy, previewChange } from '$lib/server/pools/change-operations';
import { createValidate, type Validate } from '$lib/server/pools/validate';
import { createPool, removePool } from '$lib/server/pools/create';
import { defineFoundOperations } from '$lib/server/pools/adopt';
import { createFound, type FoundPools } from '$lib/server/pools/found';
import { definePoolOperations } from '$lib/server/pools/operations';
import { defineLeftoverOperation } from '$lib/server/pools/leftovers';
import { watchOutside } from '$lib/server/pools/outside';
import { createDesiredPools, type DesiredPools } from '$lib/server/pools/desired';
import { createPools, type Pools } from '$lib/server/pools/pool';
import { createReplacements, type Replacements } from '$lib/server/pools/replacements';
import type { JsonObject } from '$lib/shared/json';
import type { Operation } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import { poolChangeRequest, type PoolCreateRequestInput } from '$lib/shared/wire/requests';
import type { z } from 'zod';
import { makeLoopDrives, type LoopDrives } from './loop-drives';
import { removeFolder } from '../../src/cli/leftovers';
import { trustPlugins } from './trust-plugins';

export const TESTER: Actor = { kind: 'user', id: 'u1', name: 'tester', role: 'admin', sessionId: null };

type PoolChangeRequestInput = z.input<typeof poolChangeRequest>;

export interface StorageStack {
  config: Config;
  loops: LoopDrives;
  db: Db;
  bus: Bus;
  feed: Feed;
  host: LiveHost;
  drives: Drives;
  plugins: Plugins;
  operations: Operations;
  pools: Pools;
  /** Not started: a start is what its tests are about. */
  desired: DesiredPools;
  found: FoundPools;
  validate: Validate;
  replacements: Replacements;
  /** Creates, confirming what the preview asks for, and waits for the end. */
  create(request: PoolCreateRequestInput): Promise<{ guid: string; operation: Operation }>;
  /** Removes, confirmed, and waits for the end. */
  remove(guid: string): Promise<Operation>;
  run(kind: string, request: JsonObject): Promise<Operation>;
  /** Begins a change of a pool, confirming what the preview asks for. */
  begin(request: PoolChangeRequestInput): Promise<Operation>;
  /** The same, and waits for the end. */
  change(request: PoolChangeRequestInput): Promise<Operation>;
  /** Stops everything, unmounts, detaches, removes. */
  close(): Promise<void>;
}

export interface StackOptions {
  drives?: number;
  driveBytes?: number;
  env?: Record<string, string>;
  /** Folder whose folders become the third-party plugins. */
  plugins?: string;
}

export async function createStorageStack(options: StackOptions = {}): Promise<StorageStack> {
  const loops = makeLoopDrives(options.drives ?? 2, options.driveBytes ?? 512 * 1024 ** 2);
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-stack-')));
  const config = readConfig({
    CAIRN_DATA_DIR: dataDir,
    CAIRN_SANDBOX: '1',
    CAIRN_LOG_LEVEL: 'silent',
    ...options.env,
  });
  mkdirSync(config.recordsDir, { recursive: true });
  if (options.plugins) await trustPlugins(options.plugins, config.thirdPartyPluginsDir);
  const log = createLog(config.logLevel);
  const db = openDatabase(config.databasePath);
  migrateDatabase(db, 'drizzle');
  const bus = createBus(log);
  const feed = createFeed({ onSubscribers: (count) => bus.emit('watchers.changed', { count }) });
  const host = await createHost({ config, log, bus, sandboxDir: loops.directory });
  const plugins = await createPlugins({ config, host, feed, log });
  const clock = systemClock;
  const operations = createOperations({ db, host, look: plugins.look, bus, feed, clock, config, log });
  const late: { pools?: Pools } = {};
  const drives = createDrives({
    ...{ db, host, bus, feed, clock, config, log },
    poolOf: (driveId) => late.pools?.poolOfDrive(driveId) ?? null,
    operationOf: (lock) => operations.holderId(lock),
  });
  const pools = createPools({ db, host, bus, feed, clock, config, log, plugins, drives, operations });
  late.pools = pools;
  const desired = createDesiredPools({ db, bus, config, host, log, operations, pools });
  defineDriveOperations(operations, { db, host, drives, config, clock, log });
  definePoolOperations(operations, { db, host, bus, clock, config, log, plugins, drives });
  const found = createFound({ db, host, bus, feed, clock, config, log, plugins, drives, operations });
  defineFoundOperations(operations, { db, host, bus, clock, config, log, plugins, drives, found });
  const endOutside = watchOutside({ db, host, bus, clock, operations, found });
  const validate = createValidate({ db, host, bus, clock, config, log, plugins, drives, operations, found });
  defineLeftoverOperation(operations, validate);
  const replacements = createReplacements({ db, bus, feed, clock, drives, pools, plugins, operations });
  await host.start();
  await drives.refresh();
  drives.start();
  pools.start();
  found.start();
  replacements.start();

  async function begin(raw: PoolChangeRequestInput): Promise<Operation> {
    const request = poolChangeRequest.parse(raw);
    const { confirmCode } = await previewChange(operations, request);
    return changePoolBy(operations, request, { actor: TESTER, confirmCode });
  }
  const services = { pools, operations, plugins, drives, config };
  return {
    ...{ config, loops, db, bus, feed, host, drives, plugins, operations, pools, desired, found, validate },
    replacements,
    async create(request) {
      const poolGroupGuid = request.poolGroupGuid ?? crypto.randomUUID();
      const complete = { ...request, poolGroupGuid };
      const preview = await operations.preview('pool.create', JSON.parse(JSON.stringify(complete)));
      const asked = await createPool(services, complete, { actor: TESTER, confirmCode: preview.confirmCode });
      const operation = await operations.wait(asked.operation.id);
      await pools.refresh();
      return { guid: asked.poolGroupGuid, operation };
    },
    async remove(guid) {
      const preview = await operations.preview('pool.remove', { poolGroupGuid: guid });
      const asked = await removePool(services, guid, { actor: TESTER, confirmCode: preview.confirmCode });
      return operations.wait(asked.id);
    },
    async run(kind, request) {
      const asked = await operations.start({ kind, request, actor: TESTER });
      const operation = await operations.wait(asked.id);
      await pools.refresh();
      return operation;
    },
    begin,
    async change(request) {
      const operation = await operations.wait((await begin(request)).id);
      await pools.refresh();
      return operation;
    },
    async close() {
      endOutside();
      replacements.stop();
      await desired.stop();
      await found.stop();
      await pools.stop();
      drives.stop();
      await operations.stop(10_000);
      await host.stop();
      closeDatabase(db);
      loops.cleanUp();
      removeFolder(dataDir);
    },
  };
}
