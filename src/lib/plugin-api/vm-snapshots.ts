/** States of machines that their engines keep, as plugins tell of them. */
import type { JsonObject } from '../shared/json';
import type { VmSize } from './vm';

/** A state of a machine that its engine keeps: disk and definition, perhaps its memory too. */
export interface VmSnapshot {
  name: string;
  /** Milliseconds since the epoch, as exact as the engine tells. */
  createdAt: number;
  description: string | null;
  /** Name of the one that it was made upon; null: of none that is still there. */
  parent: string | null;
  /** The machine goes on from this one. */
  isCurrent: boolean;
  /** running, paused: its memory is in it too, and it goes on like that when it is restored. */
  wasIn: 'running' | 'paused' | 'off';
  /** Of the memory in it, on the disk; null: it has none, or nobody tells. */
  memoryBytes: number | null;
  /** What the machine had then, and has again. */
  size: VmSize;
  /** Why it cannot be restored; null: it can. */
  restoreWhy: string | null;
  /** Why it cannot be deleted; null: it can. */
  deleteWhy: string | null;
}
export interface VmSnapshotsReading {
  /** In any order. */
  snapshots: VmSnapshot[];
  /** Why none can be taken of the machine as it is made; null: one can. */
  takeWhy: string | null;
  /** Names in its disks that the engine does not know as snapshots. */
  strays: string[];
  /** What the plans need to know besides. */
  facts: JsonObject;
}
