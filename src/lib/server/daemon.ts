/**
 * Composition root: the one file that builds the services, in order, and stops them in reverse. Nothing else imports
 * it but the hooks; everything else gets what it needs handed in.
 */
import { createAlerts } from './alerts/alerts';
import { createBoots } from './boots/boots';
import { createRequestGuard } from './auth/request-guard';
import { createAudit } from './audit/audit';
import { createAuth } from './auth/auth';
import { createRates } from './auth/rates';
import { createCertificate } from './certificates/certificate';
import { systemClock } from './clock';
import { readConfig } from './config';
import { composeConfiguration } from './configuration/compose';
import { createConsoles } from './consoles/console';
import { closeDatabase, openDatabase } from './db/client';
import { migrateDatabase } from './db/migrate';
import { handleOf, printFirstRun, type Parts } from './daemon-handle';
import { createDoctor } from './doctor/doctor';
import { createDrives } from './drives/drive';
import { createDriveHealths } from './drives/health';
import { defineDriveOperations } from './drives/operations';
import { createWipeExpiry } from './drives/wipe-expiry';
import { createBus } from './events/bus';
import { createFeed } from './events/feed';
import { askFirstQuestions } from './first-questions';
import { findHandle, setHandle } from './handle';
import { openConsoleLine } from './host/console-line';
import { createHost } from './host/host';
import { hostSize } from './host/host-size';
import { isAsleep } from './host/smart';
import { createImages } from './images/image';
import { holdDataDirectory } from './instance-lock';
import { createLog } from './log';
import { defineNetworkOperations } from './networks/bridges';
import { createNetworks } from './networks/network';
import { createNotifications } from './notifications/notifications';
import { createOperations } from './operations/operations';
import { createPlugins } from './plugins/registry';
import { defineFoundOperations } from './pools/adopt';
import { makeDataDirectories } from './data-directories';
import { createDesiredPools } from './pools/desired';
import { createFound } from './pools/found';
import { defineLeftoverOperation } from './pools/leftovers';
import { createProposals } from './proposals/proposals';
import { definePoolOperations } from './pools/operations';
import { createPoolHistory } from './pools/history';
import { watchOutside } from './pools/outside';
import { createPools, type Pools } from './pools/pool';
import { createReplacements } from './pools/replacements';
import { createPoolSamples } from './pools/samples';
import { createValidate } from './pools/validate';
import { attachSandboxDrives, isSandboxKind } from './sandbox-start';
import { allJobs, startJobs } from './schedule/schedule';
import { NOTIFY_PROGRAMS } from './service-notify';
import type { Services } from './services';
import { composeSnapshots } from './snapshots/compose';
import { openLocalSocket } from './sockets/local';
import { createSockets } from './sockets/upgrade';
import { createSupport } from './support/bundle';
import { publishSystem } from './system-view';
import { Undoing } from './undoing';
import { MACHINES_FOLDER } from './vms/place';
import { composeUpdates } from './updates/compose';
import { createVms, type Vms } from './vms/vm';
import { createThirdParty } from './third-party/third-party';
import { VERSION } from './version';

/** How long running work may take to finish or checkpoint when the process is asked to stop. */
const DRAIN_MS = 10_000;

/** Every service, none of them at work yet. What holds something is put down to be stopped, the deepest first. */
async function compose({ config, log, undoing, state }: Parts) {
  const clock = systemClock;
  undoing.add('data directory', holdDataDirectory(config.dataDir));
  const db = openDatabase(config.databasePath);
  undoing.add('database', () => closeDatabase(db));
  migrateDatabase(db, config.migrationsDir);

  const bus = createBus(log);
  const audit = createAudit({ db, bus, clock, log, config });
  undoing.add('audit log', async () => audit.stop());
  const auth = createAuth({ db, bus, clock, log, audit, config });
  const feed = createFeed({ onSubscribers: (count) => bus.emit('watchers.changed', { count }) });
  const host = await createHost({
    config,
    log,
    bus,
    sandboxDir: config.sandboxDir,
    extraPrograms: NOTIFY_PROGRAMS,
  });
  undoing.add('host', () => host.stop());
  const plugins = await createPlugins({ config, host, feed, log });
  const operations = createOperations({
    ...{ db, host, look: plugins.look, bus, feed, clock, config, log },
    requireFresh: auth.requireFresh,
  });

  // A drive shows which pool it belongs to, and a pool is made of drives: asked only once both are there.
  const late: { pools: Pools | null; vms: Vms | null } = { pools: null, vms: null };
  const driveHealth = createDriveHealths({ db, host, bus, clock, log });
  const drives = createDrives({
    db,
    host,
    bus,
    feed,
    clock,
    config,
    log,
    poolOf: (driveId) => late.pools?.poolOfDrive(driveId) ?? null,
    operationOf: (lock) => operations.holderId(lock),
    healthOf: (driveId) => driveHealth.of(driveId),
    isAsleep: (drive) => isAsleep(host.commands, drive),
  });
  undoing.add('drives', () => drives.stop());
  undoing.add('health of drives', () => driveHealth.stop());
  const pools = createPools({ db, host, bus, feed, clock, config, log, plugins, drives, operations });
  late.pools = pools;
  undoing.add('pools', () => pools.stop());
  const history = createPoolHistory({ db, bus, clock, operations, pools });
  undoing.add('history', () => history.stop());
  const samples = createPoolSamples({ db, bus, clock, pools });
  undoing.add('samples', () => samples.stop());
  const replacements = createReplacements({ db, bus, feed, clock, drives, pools, plugins, operations });
  undoing.add('replacements', () => replacements.stop());
  const { snapshots, scheduler } = composeSnapshots({
    ...{ db, host, bus, feed, clock, config, log, plugins, drives, operations, pools },
    asleepOn: async (guid) => late.vms?.namesAsleepOn(guid) ?? [],
  });
  undoing.add('snapshots', () => snapshots.stop());
  const notifications = createNotifications({ db, bus, clock, log, config });
  undoing.add('notifications', () => notifications.stop());
  const alerts = createAlerts({
    ...{ db, bus, feed, clock, log },
    ...{ drives, driveHealth, pools, operations, plugins, notifications },
  });
  undoing.add('alerts', () => alerts.stop());
  const boots = createBoots({
    ...{ db, bus, feed, clock, version: VERSION, bootId: host.bootId(), drives, pools, operations },
  });
  // After all work has ended: the mark of an orderly stop.
  undoing.add('sign of life', () => boots.stop());
  const found = createFound({ db, host, bus, feed, clock, config, log, plugins, drives, operations });
  undoing.add('found pools', () => found.stop());
  undoing.add('changes from outside', watchOutside({ db, host, bus, clock, operations, found }));
  const validate = createValidate({ db, host, bus, clock, config, log, plugins, drives, operations, found });
  defineLeftoverOperation(operations, validate);
  defineDriveOperations(operations, { db, host, drives, driveHealth, config, clock, log });
  const neededBy = (guid: string): string[] => late.vms?.namesOnPool(guid) ?? [];
  definePoolOperations(operations, { db, host, bus, clock, config, log, plugins, drives, neededBy });
  defineFoundOperations(operations, { db, host, bus, clock, config, log, plugins, drives, found });

  const images = createImages({
    ...{ db, bus, feed, clock, log, pools, operations },
    ...{ commands: host.commands, mounts: () => host.mounts() },
    foldersOfOthers: [MACHINES_FOLDER],
    neededBy: (imageId) => late.vms?.namesWithImage(imageId) ?? [],
  });
  undoing.add('images', () => images.stop());
  const networks = createNetworks({ host, config, bus, feed, log });
  undoing.add('networks', () => networks.stop());
  const vms = createVms({
    ...{ db, host, hostSize, bus, feed, clock, config, log, plugins, pools, images, operations, networks },
  });
  late.vms = vms;
  defineNetworkOperations({
    ...{ networks, config, clock, operations },
    machinesOn: (bridge) =>
      vms
        .list()
        .filter(({ cards }) => cards.some((card) => card.bridge === bridge))
        .map(({ name }) => name),
  });
  undoing.add('machines', () => vms.stop());

  const consoles = createConsoles({ vms, plugins, clock, log, openLine: openConsoleLine });
  undoing.add('consoles', async () => consoles.close());

  const certificate = await createCertificate({
    ...{ config, commands: host.commands, operations, bus, clock, log },
  });
  const thirdParty = createThirdParty({
    ...{ plugins, operations, clock, pools, found, vms, requireFresh: auth.requireFresh },
  });
  undoing.add('plugins from others', async () => thirdParty.stop());
  const proposals = createProposals({ db, bus, clock, operations });
  const stopping = (): boolean => state.stopping;
  const doctor = createDoctor({
    ...{ db, host, certificate, config, clock, feed, log, operations, plugins, pools, validate, vms },
  });
  const support = createSupport({
    ...{ db, host, boots, clock, config, doctor, feed, operations, validate, version: VERSION },
  });
  const { configuration, restores } = composeConfiguration({
    ...{ db, bus, clock, log, pools, found, operations, host, version: VERSION, networks },
    ...{ config, drives, vms, undoing, plugins, certificate },
  });
  const services: Services = {
    rates: createRates(clock),
    ...{ config, version: VERSION, log, clock, bus, feed, audit, auth, operations, proposals, stopping },
    ...{ drives, driveHealth, plugins, pools, history, samples, replacements, alerts, found, validate },
    ...{ snapshots, images, networks, vms, consoles, notifications, certificate, configuration, restores },
    ...{ doctor, boots, support, thirdParty },
    ...composeUpdates({ db, bus, config, clock, log, version: VERSION, operations, pools, auth }),
  };
  const guard = createRequestGuard(config, certificate.names);
  const sockets = createSockets(services, guard);
  undoing.add('sockets', () => sockets.close());
  // Before the sockets go, so that whoever looks sees how the work ended.
  undoing.add('operations', () => operations.stop(DRAIN_MS));
  const expireWipes = createWipeExpiry({ db, bus, clock, log, operations });
  return { services, host, db, guard, sockets, scheduler, expireWipes };
}

type Composed = Awaited<ReturnType<typeof compose>>;

/** Sources, drives, what a crash left behind, pools: each needs the one before. */
async function bringUp(composed: Composed, { undoing, state }: Parts): Promise<void> {
  const { services, host, db, scheduler, expireWipes } = composed;
  const { config, log, operations, drives, driveHealth, plugins, pools } = services;
  const { history, samples, found, alerts, audit, auth, images, vms, notifications } = services;
  undoing.add('system view', publishSystem(services));
  await host.start();
  drives.start();
  pools.start();
  history.start();
  samples.start();
  driveHealth.start();
  found.start();
  images.start();
  services.snapshots.start();
  vms.start();
  // Operations on sandbox drives can only be judged once those drives are back.
  await attachSandboxDrives(services);
  services.replacements.start();
  services.boots.start();
  await operations.recover((kind) => !isSandboxKind(kind));
  const desired = createDesiredPools({ ...services, db, host });
  undoing.add('desired state', () => desired.stop());
  await desired.start();
  undoing.add('machines that start with the host', () => vms.autostart.stop());
  vms.autostart.start();
  services.configuration.start();
  services.restores.resume();
  undoing.add('local socket', await openLocalSocket({ config, log, hostStop: vms.hostStop }));
  const sweep = async (): Promise<void> => {
    await operations.sweep();
    pools.sweep();
    if (await plugins.checkFailed()) await Promise.all([pools.refresh(), found.refresh()]);
    services.validate.report();
  };
  const cleanUp = (): void => {
    auth.cleanUp();
    audit.cleanUp();
    services.proposals.cleanUp();
    history.cleanUp();
    alerts.cleanUp();
    notifications.cleanUp();
    services.boots.cleanUp();
    services.thirdParty.cleanUp();
    expireWipes();
  };
  pools.sweep();
  notifications.start();
  const jobs = allJobs(config, {
    ...{ sweep, cleanUp, boots: services.boots, driveHealth, samples, vms, images, scheduler, notifications },
    ...{
      certificate: services.certificate,
      configuration: services.configuration,
      updates: services.updates,
    },
  });
  undoing.add('jobs', startJobs(jobs, log));
  askFirstQuestions(services, { undoing, state });
  services.thirdParty.ready();
}

/**
 * Starts the daemon and puts its handle in place. In development the module is loaded anew after an edit: the daemon
 * that runs is stopped first, so none is ever left behind.
 * @throws AppError already_running | newer_database; ZodError for an environment variable that is wrong
 */
export async function startDaemon(): Promise<void> {
  await findHandle()?.stop('replaced');
  const config = readConfig();
  const log = createLog(config.logLevel);
  const parts: Parts = { config, log, undoing: new Undoing(), state: { ready: false, stopping: false } };
  try {
    makeDataDirectories(config);
    const composed = await compose(parts);
    setHandle(handleOf(composed, parts));
    await bringUp(composed, parts);
    printFirstRun(composed.services);
  } catch (error) {
    await parts.undoing.run(log);
    setHandle(null);
    throw error;
  }
}
