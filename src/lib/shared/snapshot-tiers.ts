/** How often the clock makes a snapshot of a pool. */
export const SNAPSHOT_TIERS = ['hourly', 'daily', 'weekly', 'monthly'] as const;
export type SnapshotTier = (typeof SNAPSHOT_TIERS)[number];
