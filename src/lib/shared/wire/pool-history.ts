import type { PoolEventKind } from '../states';

/** Something that happened to a pool, whoever did it. */
export interface PoolEvent {
  id: number;
  at: number;
  kind: PoolEventKind;
  /** One sentence. */
  text: string;
  /** The operation that did it, while that is still remembered. */
  operationId: string | null;
}
export interface PoolEventPage {
  items: PoolEvent[];
  /** Pass as `before` for the next page; null at the end. */
  nextBefore: number | null;
}
/** Used space at one moment, bytes. */
export interface PoolSample {
  at: number;
  sizeBytes: number;
  usedBytes: number;
}
export const SAMPLE_RANGES = ['day', 'week', 'month', 'year', 'all'] as const;
export type SampleRange = (typeof SAMPLE_RANGES)[number];
