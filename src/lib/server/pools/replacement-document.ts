/** A replacement as pages show it: what the person meant to do, and what the machine shows now. Pure. */
import { callOf } from '$lib/shared/names';
import { isLive } from '$lib/shared/states';
import type { Drive } from '$lib/shared/wire/drives';
import type { Operation } from '$lib/shared/wire/operations';
import type { Pool } from '$lib/shared/wire/pools';
import type { GuideStep, Replacement } from '$lib/shared/wire/replacements';
import { marginOf, newcomersOf, wrongPulls } from './replacement-drives';
import type { ReplacementRow } from './replacement-store';

export interface ReplacementFacts {
  row: ReplacementRow;
  pool: Pool;
  drives: Drive[];
  /** Of the rebuild; null: not begun, or forgotten. */
  operation: Operation | null;
  /** Any pool of this machine with how many drives its layout may lose. */
  toleranceOf: (guid: string) => { pool: Pool; tolerance: number } | null;
}

const isIn = ({ drives }: Pick<ReplacementFacts, 'drives'>, id: string | null): boolean =>
  drives.some((drive) => drive.id === id && drive.present);

/** The new drive has the place. */
export const isReplaced = ({ row, pool }: Pick<ReplacementFacts, 'row' | 'pool'>): boolean =>
  row.freshId !== null &&
  pool.members.some(({ slot, driveId }) => slot === row.slot && driveId === row.freshId);

export function stepOf(facts: ReplacementFacts): GuideStep {
  const { row, operation } = facts;
  if (operation && isLive(operation.state)) return 'rebuild';
  if (isReplaced(facts)) return row.way === 'beside' && isIn(facts, row.driveId) ? 'take-out' : 'done';
  if (isIn(facts, row.freshId)) return 'plan';
  return row.way === 'swap' && isIn(facts, row.driveId) ? 'pull' : 'insert';
}

/** Pulling it must not take the last copy of anything. */
export function whyNotSwap({ row, pool, drives, toleranceOf }: ReplacementFacts): string | null {
  const tolerance = toleranceOf(pool.guid)?.tolerance ?? 0;
  const isPresent = (id: string): boolean => isIn({ drives }, id);
  const role = pool.members.find(({ slot }) => slot === row.slot)?.role ?? 'data';
  if (!isPresent(row.driveId) || role !== 'data') return null;
  return marginOf(pool, tolerance, isPresent, row.driveId) < 0
    ? `Without it the pool "${pool.label}" could not work: it has to stay in until the new drive has everything.`
    : null;
}

function riskOf(facts: ReplacementFacts): string {
  const { row, pool, drives, toleranceOf } = facts;
  const isPresent = (id: string): boolean => isIn({ drives }, id);
  const tolerance = toleranceOf(pool.guid)?.tolerance ?? 0;
  const without = row.way === 'swap' ? row.driveId : null;
  const margin = marginOf(pool, tolerance, isPresent, without);
  if (row.way === 'beside' && isPresent(row.driveId))
    return 'The old drive is read until the new one has everything: nothing gets less safe meanwhile.';
  if (margin > 0)
    return `Until the rebuild has ended the pool survives the loss of ${margin} more, not of ${margin + 1}.`;
  return 'Until the rebuild has ended no other drive may fail. Is there a backup?';
}

function failureOf(operation: Operation | null): string | null {
  if (!operation || isLive(operation.state) || operation.state === 'succeeded') return null;
  return operation.error?.message ?? 'It was cancelled, and taken back.';
}

export function replacementDocument(facts: ReplacementFacts): Replacement {
  const { row, pool, drives, operation, toleranceOf } = facts;
  const step = stepOf(facts);
  const old = drives.find(({ id }) => id === row.driveId);
  const member = pool.members.find(({ slot }) => slot === row.slot);
  const leastBytes = member?.replacementBytes ?? 0;
  const expected = [...row.here, ...(row.freshId && step !== 'insert' ? [row.freshId] : [])];
  const atTheBays = step === 'pull' || step === 'insert' || step === 'take-out';
  return {
    id: row.poolGuid,
    slot: row.slot,
    driveId: row.driveId,
    serial: old?.serial ?? null,
    name: old ? callOf(old) : row.driveId,
    oldPresent: old?.present ?? false,
    way: row.way,
    whyNotSwap: whyNotSwap(facts),
    whyNotBeside: old?.present ? null : 'It is not plugged in.',
    risk: riskOf(facts),
    step,
    wrong:
      step === 'done'
        ? []
        : wrongPulls({
            expected: [...new Set(expected)].filter((id) => id !== row.driveId),
            drives,
            all: atTheBays,
            poolOf: (guid) => {
              const found = toleranceOf(guid);
              const isPresent = (id: string): boolean => isIn({ drives }, id);
              return found && { pool: found.pool, margin: marginOf(found.pool, found.tolerance, isPresent) };
            },
          }),
    leastBytes,
    newcomers: newcomersOf(drives, { oldId: row.driveId, here: row.here, leastBytes }),
    freshId: row.freshId,
    operationId: operation?.id ?? null,
    failed: failureOf(operation),
    pulledAt: row.pulledAt,
    startedBy: row.startedBy,
    startedAt: row.startedAt,
  };
}
