/** What a channel offers, and what that means for the version that runs. */
import type { ErrorCode } from '../error-codes';

export interface OfferedFile {
  name: string;
  sizeBytes: number;
  sha256: string;
}
export interface OfferedUpdate {
  version: string;
  /** When it was released, ISO 8601. */
  date: string;
  /** As they were written: to be shown as text. */
  notes: string;
  /** The oldest version that can be updated to it. */
  minimumVersion: string;
  /** The archive for this host; null: there is none for its architecture. */
  file: OfferedFile | null;
}
/**
 * unknown: nothing was offered yet. current: what is offered runs. available: it can be installed. unsuitable: it is newer, and
 * cannot be installed here; `why` says why.
 */
export type UpdateState = 'unknown' | 'current' | 'available' | 'unsuitable';
export interface UpdateView {
  version: string;
  architecture: string;
  /** null: nobody is asked. */
  channel: string | null;
  /** Of the last look, whatever came of it. */
  checkedAt: number | null;
  /** Why the last look told nothing; null: it did. */
  failure: { code: ErrorCode; message: string; remedy: string | null } | null;
  state: UpdateState;
  why: string | null;
  /** What was offered last and is signed by who releases Cairn. */
  offered: OfferedUpdate | null;
  /** When this version was offered for the first time. */
  offeredSince: number | null;
  /** Somebody does not want this version: it can be installed, and nobody is told of it. */
  skipped: boolean;
}
/** What people are told of updates when it stays so. */
export interface UpdateNews {
  /** Newer than the version that runs, and not skipped. `unsuitable`: why it cannot be installed here. */
  newer: { version: string; since: number; unsuitable: string | null } | null;
  /** Since when no look has told anything. */
  failing: { since: number; text: string } | null;
}
