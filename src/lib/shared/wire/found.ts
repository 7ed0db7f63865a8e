/** Pools that are on drives and not in the records, as pages and programs see them. */
import type { Json } from '../json';
import type { MemberStatus } from '../states';
import type { VerbState } from './pools';

export interface FolderEntry {
  name: string;
  kind: 'file' | 'folder' | 'link' | 'other';
  sizeBytes: number | null;
  modifiedAt: number;
}
/** The root of a filesystem, as it was when somebody looked inside. */
export interface FolderListing {
  readAt: number;
  /** By name; the first 200. */
  entries: FolderEntry[];
  more: boolean;
  sizeBytes: number;
  usedBytes: number;
  /** Is there a folder `.cairn`? */
  identityFolder: boolean;
  /** Text of the identity file; null when there is none. */
  identity: string | null;
  /** Copies of a configuration that lie in it, as they are; none where there was no look for them yet. */
  copies: { file: string; text: string | null }[];
}

export interface FoundMember {
  driveId: string;
  serial: string | null;
  label: string;
  sizeBytes: number;
  slot: number;
  status: MemberStatus;
}
export const FOUND_VERBS = ['adopt', 'peek', 'ignore'] as const;
export type FoundVerb = (typeof FOUND_VERBS)[number];

export interface FoundPool {
  /** Plugin and what the pool calls itself; the same at every reading. */
  id: string;
  plugin: string;
  pluginName: string;
  guid: string;
  /** As the pool calls itself; may be empty. */
  label: string;
  /** The label and path that it gets when nothing else is asked for. */
  suggested: { label: string; mountPath: string };
  layout: string | null;
  layoutTitle: string | null;
  toleranceText: string | null;
  options: Record<string, Json>;
  description: string;
  members: FoundMember[];
  missing: { slot: number; text: string }[];
  sizeBytes: number | null;
  byCairn: boolean;
  mountedAt: string | null;
  /** Why it cannot be adopted as it is, and what would help; null: it can. */
  obstacle: string | null;
  /** A user said that it is to be left alone. */
  ignored: boolean;
  /** Live operation on it or on one of its drives. */
  operationId: string | null;
  /** What was inside when somebody looked; null: nobody has. */
  inside: Omit<FolderListing, 'identity' | 'identityFolder' | 'copies'> | null;
  verbs: Record<FoundVerb, VerbState>;
}

/** One way in which the records and the machine differ. */
export interface Difference {
  /** Stable name of the kind of difference: `not-mounted`, `other-content`. */
  kind: string;
  /** null: it belongs to no pool (a folder that was left behind). */
  poolGuid: string | null;
  text: string;
  /** The operation that mends it; null: see `why`. */
  mend: { title: string; operation: string; request: Record<string, string> } | null;
  /** Why nothing is offered, and what a person can do. */
  why: string | null;
}
export interface Validation {
  checkedAt: number;
  differences: Difference[];
}
