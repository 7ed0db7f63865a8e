/** What machines use now, as pages draw it. */

export const USAGE_EVERY_MS = 2_000;
/** How far back the charts reach. */
export const USAGE_SPAN_MS = 5 * 60_000;

export interface VmUsageSample {
  /** Milliseconds since the epoch; the rates are of the time since the sample before. */
  at: number;
  /** Of all its CPUs: 100 is all of them busy. */
  cpuPercent: number;
  /** Memory of the host; null: not known. */
  memoryBytes: number | null;
  /** Bytes a second. */
  readRate: number;
  writeRate: number;
  receiveRate: number;
  sendRate: number;
}
/** Samples by the id of their machine, oldest first. */
export type VmUsageUpdate = Record<string, VmUsageSample[]>;
