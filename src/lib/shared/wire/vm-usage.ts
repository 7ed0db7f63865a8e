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
const DAY_MS = 86_400_000;
/** How far back the charts of what was used reach, milliseconds. */
export const SAMPLE_SPANS = { day: DAY_MS, week: 7 * DAY_MS, quarter: 92 * DAY_MS };
export type VmSampleRange = keyof typeof SAMPLE_SPANS;
export const VM_SAMPLE_RANGES = ['day', 'week', 'quarter'] as const satisfies VmSampleRange[];
/** So often it is noted what they use. */
export const NOTED_EVERY_MS = 5 * 60_000;
/** Samples by the id of their machine, oldest first. */
export type VmUsageUpdate = Record<string, VmUsageSample[]>;
