import type { DriveRole, Health, MemberStatus, PoolState, PoolStatus } from '../states';
import type { Json } from '../json';
import { CHANGE_VERBS, type KernelWork, type ScrubReading } from './pool-changes';

export interface PoolMember {
  slot: number;
  driveId: string;
  serial: string | null;
  label: string;
  sizeBytes: number;
  role: DriveRole;
  /** Smallest drive that can take its place, bytes. */
  replacementBytes: number;
  /** From the tool, by slot or device, never by position in a list. */
  status: MemberStatus;
  detail: string | null;
}
/** Whether a verb can be used now; `why` says why not and what would enable it. */
export interface VerbState {
  allowed: boolean;
  why: string | null;
}
export const POOL_VERBS = ['mount', 'unmount', 'rename', 'remove', 'release', ...CHANGE_VERBS] as const;
export type PoolVerb = (typeof POOL_VERBS)[number];

export interface Pool {
  guid: string;
  label: string;
  plugin: string;
  pluginName: string;
  layout: string;
  layoutTitle: string;
  /** Sentence: "survives the loss of 1 drive". */
  toleranceText: string;
  options: Record<string, Json>;
  state: PoolState;
  poolStatus: PoolStatus | null;
  health: Health;
  /** One sentence about the health that a person can act on; null when all is well. */
  healthText: string | null;
  mountPath: string;
  mounted: boolean;
  /** Why it is not mounted though it should be, in one sentence; null: it is, it should not be, or an operation is at it. */
  waiting: string | null;
  sizeBytes: number | null;
  usedBytes: number | null;
  availableBytes: number | null;
  /** Where its content is when that is another machine (`nas:/srv/media`); null: on its drives. */
  source: string | null;
  members: PoolMember[];
  /** The roles, besides data, that a drive can be added with. */
  roles: DriveRole[];
  /** What the kernel does with it now, whoever began it. */
  work: KernelWork[];
  /** null: never scrubbed, or its plugin cannot tell. */
  lastScrub: ScrubReading | null;
  verbs: Record<PoolVerb, VerbState>;
  /** Live operation on this pool. */
  operationId: string | null;
  errorMessage: string | null;
  /** Newest event of its history: rises when there is more to read. */
  lastEventId: number | null;
  createdAt: number;
  /** When the machine was last asked. */
  readAt: number | null;
}
export interface MountProcess {
  pid: number;
  command: string;
  user: string;
  path: string;
}
