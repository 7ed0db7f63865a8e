/** What routers, REST and sockets may reach: built by daemon.ts, handed in with every request, never imported. */
import type { Alerts } from './alerts/alerts';
import type { Auth } from './auth/auth';
import type { Clock } from './clock';
import type { Config } from './config';
import type { Consoles } from './consoles/console';
import type { Drives } from './drives/drive';
import type { DriveHealths } from './drives/health';
import type { Bus } from './events/bus';
import type { Feed } from './events/feed';
import type { Images } from './images/image';
import type { Logger } from './log';
import type { Operations } from './operations/types';
import type { Plugins } from './plugins/registry';
import type { PoolHistory } from './pools/history';
import type { FoundPools } from './pools/found';
import type { Validate } from './pools/validate';
import type { Pools } from './pools/pool';
import type { Replacements } from './pools/replacements';
import type { PoolSamples } from './pools/samples';
import type { Snapshots } from './snapshots/snapshots';
import type { Vms } from './vms/vm';

export interface Services {
  config: Config;
  version: string;
  log: Logger;
  clock: Clock;
  bus: Bus;
  feed: Feed;
  auth: Auth;
  operations: Operations;
  drives: Drives;
  driveHealth: DriveHealths;
  plugins: Plugins;
  pools: Pools;
  history: PoolHistory;
  samples: PoolSamples;
  replacements: Replacements;
  alerts: Alerts;
  found: FoundPools;
  snapshots: Snapshots;
  validate: Validate;
  images: Images;
  vms: Vms;
  consoles: Consoles;
  stopping(): boolean;
}
