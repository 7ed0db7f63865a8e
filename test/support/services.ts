/** The services behind the routers with a real database and real accounts; what touches the machine is absent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '$lib/server/audit/audit';
import { createAuth } from '$lib/server/auth/auth';
import { createRates } from '$lib/server/auth/rates';
import type { Clock } from '$lib/server/clock';
import { readConfig } from '$lib/server/config';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase } from '$lib/server/db/migrate';
import { createBus } from '$lib/server/events/bus';
import { createFeed } from '$lib/server/events/feed';
import { createLog } from '$lib/server/log';
import type { Services } from '$lib/server/services';
import type { RequestContext, SessionCookie } from '$lib/server/trpc/context';
import type { Role } from '$lib/shared/states';
import type { Actor } from '$lib/shared/wire/session';

/** Something that a test must not reach: every use of it fails by name. */
function absent<T extends object>(name: string): T {
  return new Proxy({} as T, {
    get(_target, key) {
      throw new Error(`${name}.${String(key)} is not part of this test`);
    },
  });
}

export const PASSWORD = 'four unrelated words';
export const FROM = { address: '192.0.2.7', userAgent: 'a test' };

export interface ServiceBench {
  services: Services;
  db: Db;
  dir: string;
  /** Moves the wall clock. */
  advance(ms: number): void;
  close(): void;
}

export function createServiceBench(overrides: Partial<Services> = {}): ServiceBench {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-services-'));
  const config = readConfig({ CAIRN_DATA_DIR: dir, CAIRN_SANDBOX: '1', CAIRN_LOG_LEVEL: 'silent' });
  const log = createLog('silent');
  const db = openDatabase(config.databasePath);
  migrateDatabase(db, 'drizzle');
  let offset = 0;
  const clock: Clock = { now: () => Date.now() + offset, elapsed: () => performance.now() };
  const bus = createBus(log);
  const feed = createFeed();
  const audit = createAudit({ db, bus, clock, log, config });
  const services: Services = {
    config,
    version: '0.0.0-test',
    log,
    clock,
    bus,
    feed,
    audit,
    rates: createRates(clock),
    auth: createAuth({ db, bus, clock, log, audit, config }),
    operations: absent('operations'),
    proposals: absent('proposals'),
    drives: absent('drives'),
    driveHealth: absent('driveHealth'),
    plugins: absent('plugins'),
    thirdParty: absent('thirdParty'),
    pools: absent('pools'),
    history: absent('history'),
    samples: absent('samples'),
    replacements: absent('replacements'),
    alerts: absent('alerts'),
    notifications: absent('notifications'),
    found: absent('found'),
    snapshots: absent('snapshots'),
    validate: absent('validate'),
    images: absent('images'),
    networks: absent('networks'),
    certificate: absent('certificate'),
    configuration: absent('configuration'),
    restores: absent('restores'),
    vms: absent('vms'),
    consoles: absent('consoles'),
    doctor: absent('doctor'),
    support: absent('support'),
    boots: absent('boots'),
    updates: absent('updates'),
    releases: absent('releases'),
    stopping: () => false,
    ...overrides,
  };
  return {
    services,
    db,
    dir,
    advance: (ms) => {
      offset += ms;
    },
    close() {
      audit.stop();
      closeDatabase(db);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const actorOf = (role: Role): Actor => ({
  kind: 'user',
  id: `id-${role}`,
  name: role,
  role,
  sessionId: null,
});

/** A request of this actor; `cookie` collects what was set, null stands for a socket. */
export const contextOf = (
  services: Services,
  actor: Actor | null,
  cookie: SessionCookie | null = null,
): RequestContext => ({
  services,
  identify: () => Promise.resolve(actor),
  token: null,
  cookie,
  ...FROM,
});

/** Makes the first account the way a user does. @returns the session's token */
export async function setUpAdmin({ auth }: Services): Promise<{ token: string; actor: Actor }> {
  const code = auth.renewSetupCode();
  if (!code) throw new Error('there is an account already');
  return auth.setup({ code, username: 'admin', password: PASSWORD, from: FROM });
}
