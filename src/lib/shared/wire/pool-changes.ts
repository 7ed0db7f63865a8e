/** What may be done to a pool that is there besides mounting, renaming and removing it, and what its kernel is at. */

/** Changes that a plugin gives the steps of, each by a method of its own. */
export const CHANGE_VERBS = [
  'expand',
  'replace',
  'remove-drive',
  'add-drive',
  're-add',
  'start-scrub',
  'stop-scrub',
  'start-balance',
  'stop-balance',
  'clear-errors',
] as const;
export type ChangeVerb = (typeof CHANGE_VERBS)[number];

/** Work that the kernel does on a pool, whoever started it. It goes on when Cairn stops. */
export interface KernelWork {
  kind: 'resync' | 'rebuild' | 'reshape' | 'scrub' | 'balance' | 'evacuate';
  /** For people: "Rebuilding onto drive WD-123". */
  title: string;
  /** 0 to 100; null: the tool does not say. */
  percent: number | null;
  bytesPerSecond: number | null;
  secondsLeft: number | null;
  paused: boolean;
}
/** How the last scrub ended, as the pool itself remembers it. */
export interface ScrubReading {
  /** Milliseconds since the epoch; null: the tool does not say. */
  endedAt: number | null;
  state: 'finished' | 'cancelled' | 'interrupted';
  /** Damaged places found, and those that could not be mended. */
  errors: number;
  uncorrectable: number;
}
