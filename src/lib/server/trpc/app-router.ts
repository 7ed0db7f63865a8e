import { router } from './init';
import { alertsRouter } from './routers/alerts';
import { apiKeysRouter } from './routers/api-keys';
import { auditRouter } from './routers/audit';
import { certificateRouter } from './routers/certificate';
import { configurationRouter } from './routers/configuration';
import { drivesRouter } from './routers/drives';
import { bootsRouter } from './routers/boots';
import { feedRouter } from './routers/feed';
import { imagesRouter } from './routers/images';
import { networksRouter } from './routers/networks';
import { notificationsRouter } from './routers/notifications';
import { operationsRouter } from './routers/operations';
import { pluginsRouter } from './routers/plugins';
import { foundRouter } from './routers/found';
import { proposalsRouter } from './routers/proposals';
import { poolsRouter } from './routers/pools';
import { removedVmsRouter } from './routers/removed-vms';
import { replacementsRouter } from './routers/replacements';
import { secondFactorRouter } from './routers/second-factor';
import { snapshotsRouter } from './routers/snapshots';
import { sessionRouter } from './routers/session';
import { systemRouter } from './routers/system';
import { updatesRouter } from './routers/updates';
import { usersRouter } from './routers/users';
import { vmSnapshotsRouter } from './routers/vm-snapshots';
import { vmsRouter } from './routers/vms';

/** All that the browser can ask for: one router a noun. */
export const appRouter = router({
  session: sessionRouter,
  secondFactor: secondFactorRouter,
  users: usersRouter,
  apiKeys: apiKeysRouter,
  audit: auditRouter,
  boots: bootsRouter,
  feed: feedRouter,
  system: systemRouter,
  drives: drivesRouter,
  pools: poolsRouter,
  found: foundRouter,
  images: imagesRouter,
  vms: vmsRouter,
  vmSnapshots: vmSnapshotsRouter,
  removedVms: removedVmsRouter,
  replacements: replacementsRouter,
  snapshots: snapshotsRouter,
  networks: networksRouter,
  certificate: certificateRouter,
  configuration: configurationRouter,
  updates: updatesRouter,
  operations: operationsRouter,
  proposals: proposalsRouter,
  plugins: pluginsRouter,
  alerts: alertsRouter,
  notifications: notificationsRouter,
});

export type AppRouter = typeof appRouter;
