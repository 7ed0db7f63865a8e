import type { Image } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import type { Bus } from '../events/bus';
import type { HostSize } from '../host/host-size';
import type { Host } from '../host/types';
import type { Logger } from '../log';
import type { Networks } from '../networks/network';
import type { Operations } from '../operations/types';
import type { Plugins } from '../plugins/registry';
import type { VmReadings } from './readings';

/** What machines are built from: they lie on pools and begin as images, and neither knows of them. */
export interface VmDeps {
  db: Db;
  host: Pick<Host, 'commands' | 'usage' | 'bootId'>;
  hostSize: () => HostSize;
  bus: Bus;
  clock: Clock;
  config: Pick<Config, 'sandbox' | 'secretsDir'>;
  log: Logger;
  plugins: Plugins;
  pools: { list(): Pool[] };
  images: { list(): Image[] };
  networks: Pick<Networks, 'read'>;
  operations: Operations;
  readings: VmReadings;
}
