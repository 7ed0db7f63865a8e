/** "Which one do I pull": how far a person is with replacing a drive of a pool. */
import { z } from 'zod';

/** `POST /api/v1/pools/{guid}/replacement`, `replacements.begin`: which place of the pool is to get another drive. */
export const begunReplacement = z.strictObject({ slot: z.int().min(0) });
/** `PATCH` of the same, `replacements.choose`: whether the old drive stays in meanwhile, and the new drive; null: none yet. */
export const chosenReplacement = z.strictObject({
  way: z.enum(['swap', 'beside']).optional(),
  freshId: z.string().min(1).max(300).nullish(),
});

/** swap: the old drive comes out first; beside: it stays in until the new one has everything. */
export type ReplaceWay = 'swap' | 'beside';
/** What the person has to do next; follows from the machine, so every browser agrees, also after a restart. */
export type GuideStep = 'pull' | 'insert' | 'plan' | 'rebuild' | 'take-out' | 'done';

/** A drive that is out and should not be. */
export interface WrongPull {
  driveId: string;
  serial: string | null;
  /** Its bay label, or its serial. */
  name: string;
  /** What its absence means: for its pool, or that nothing is lost. */
  text: string;
  severity: 'info' | 'warning' | 'critical';
}
export interface Finding {
  tone: 'good' | 'warn' | 'bad';
  text: string;
}
/** A drive that could take the place. */
export interface Newcomer {
  driveId: string;
  serial: string | null;
  name: string;
  sizeBytes: number;
  /** It came after the replacement was begun. */
  isNew: boolean;
  /** Size, health, and what is on it. */
  findings: Finding[];
  /** Why it cannot take the place; null: it can. */
  why: string | null;
}
export interface Replacement {
  /** GUID of the pool. */
  id: string;
  slot: number;
  driveId: string;
  serial: string | null;
  name: string;
  /** The old drive is plugged in. */
  oldPresent: boolean;
  way: ReplaceWay;
  /** Why the old drive must not come out first; null: it may. */
  whyNotSwap: string | null;
  /** Why it cannot stay in; null: it can. */
  whyNotBeside: string | null;
  /** What the pool survives while it is replaced this way, a sentence. */
  risk: string;
  step: GuideStep;
  wrong: WrongPull[];
  /** Smallest drive that can take the place, bytes. */
  leastBytes: number;
  newcomers: Newcomer[];
  freshId: string | null;
  /** Of the rebuild. */
  operationId: string | null;
  /** Why the last try ended without success; null: there was none, or it is at work. */
  failed: string | null;
  pulledAt: number | null;
  startedBy: string;
  startedAt: number;
}
