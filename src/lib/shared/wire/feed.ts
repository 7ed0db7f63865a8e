import type { Image } from './images';
import type { Alert } from './alerts';
import type { CertificateView } from './certificates';
import type { ConfigurationState, Restore } from './configuration';
import type { BootReport } from './boots';
import type { Drive } from './drives';
import type { Operation } from './operations';
import type { HostLink } from './networks';
import type { PluginView } from './plugins';
import type { FoundPool } from './found';
import type { Pool } from './pools';
import type { Replacement } from './replacements';
import type { UpdateNews } from './updates';
import type { PoolSnapshots } from './snapshots';
import type { RemovedVm } from './removed-vms';
import type { VmHost } from './vm-host';
import type { Vm } from './vms';

export interface SystemView {
  id: 'system';
  hostname: string;
  version: string;
  sandbox: boolean;
  startedAt: number;
  /** Where new pools are mounted unless the user says otherwise. */
  mountRoot: string;
  /** Sources of live change that work now; a source that is down is named with the reason. */
  sources: { name: string; ok: boolean; reason: string | null }[];
  /** By which it is served; null: by plain HTTP. */
  certificate: CertificateView | null;
  /** A newer version, and looks for one that fail. */
  update: UpdateNews;
  /** How fresh the copies of the configuration on the pools are. */
  configuration: ConfigurationState;
  /** The last restore from such a copy, or the one at work. */
  restore: Restore | null;
}

export interface TopicDocuments {
  drives: Drive;
  pools: Pool;
  found: FoundPool;
  images: Image;
  vms: Vm;
  /** Machines that were removed and are still kept. */
  removedVms: RemovedVm;
  /** One document: what a new machine can have. */
  vmHost: VmHost;
  /** Network links of the host. */
  links: HostLink;
  operations: Operation;
  plugins: PluginView;
  /** Open ones only. */
  alerts: Alert;
  /** Under way, one a pool. */
  replacements: Replacement;
  /** Of each pool that can have them. */
  snapshots: PoolSnapshots;
  system: SystemView;
  /** The report of the last start. */
  boots: BootReport;
}
export type Topic = keyof TopicDocuments;
export const TOPICS = [
  'drives',
  'pools',
  'operations',
  'plugins',
  'alerts',
  'found',
  'images',
  'vms',
  'removedVms',
  'vmHost',
  'links',
  'replacements',
  'snapshots',
  'system',
  'boots',
] as const satisfies Topic[];

export type Change = {
  [T in Topic]:
    { topic: T; op: 'put'; id: string; value: TopicDocuments[T] } | { topic: T; op: 'remove'; id: string };
}[Topic];

export type Snapshot = { [T in Topic]: TopicDocuments[T][] };

/** `epoch` is new with every start of the server; `seq` rises by one with every message. Cursor text: `epoch:seq`. */
export type FeedMessage =
  | { type: 'snapshot'; epoch: string; seq: number; snapshot: Snapshot }
  | { type: 'changes'; epoch: string; seq: number; changes: Change[] };
