/** Found pools as operations, and the two requests that need more than one: adopting unseen, and adopting all that Cairn made. */
import type { JsonObject } from '$lib/shared/json';
import type { Operation } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import { AppError, toAppError } from '../errors';
import type { Operations, RecordOwner } from '../operations/types';
import type { FoundPools } from './found';
import { prepareAdopt, preparePeek, type FoundOperationDeps } from './prepare-found';
import { createRecord } from './records';

export const ADOPT = 'pool.adopt';
export const PEEK = 'pool.peek';
const MINUTE_MS = 60_000;

const nobody: RecordOwner = {
  begin: () => undefined,
  succeed: () => undefined,
  takenBack: () => undefined,
  needsYou: () => undefined,
};

export function defineFoundOperations(operations: Operations, deps: FoundOperationDeps): void {
  operations.define({
    kind: PEEK,
    onInterrupt: 'take-back',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => preparePeek(deps, request),
    record: nobody,
  });
  operations.define({
    kind: ADOPT,
    onInterrupt: 'take-back',
    deadlineMs: 10 * MINUTE_MS,
    prepare: (request) => prepareAdopt(deps, request),
    record: createRecord(deps, operations),
  });
}

interface Parts {
  found: FoundPools;
  operations: Operations;
}

/** Looks inside when nobody has yet. @throws AppError why it did not work */
export async function lookInside({ found, operations }: Parts, id: string, actor: Actor): Promise<void> {
  if (found.get(id).inside !== null) return;
  const asked = await operations.start({ kind: PEEK, request: { found: id }, actor });
  const ended = await operations.wait(asked.id);
  if (ended.state !== 'succeeded')
    throw new AppError(ended.error?.code ?? 'bug', ended.error?.message ?? `${ended.title}: ${ended.state}`);
}

export interface AdoptWish {
  found: string;
  label?: string | undefined;
  mountPath?: string | undefined;
}

/** What is on another machine is not looked into before: that machine may keep whoever asks. */
const isElsewhere = (found: FoundPools, id: string): boolean => {
  const { members, missing } = found.candidate(id).found;
  return members.length + missing.length === 0;
};

/** @throws AppError of looking inside or of the request */
export async function adoptPool(parts: Parts, wish: AdoptWish, actor: Actor): Promise<Operation> {
  if (!isElsewhere(parts.found, wish.found)) await lookInside(parts, wish.found, actor);
  const request = JSON.parse(JSON.stringify(wish)) as JsonObject;
  return parts.operations.start({ kind: ADOPT, request, actor });
}

export interface Adopted {
  found: string;
  /** null: it was not begun; `why` says why. */
  operation: Operation | null;
  why: string | null;
}

/**
 * For a lost database: looks into everything that could be a pool of Cairn and begins to adopt what says that it is one.
 * What cannot be adopted is named with the reason, and does not keep the others.
 */
export async function adoptAllByCairn(parts: Parts, actor: Actor): Promise<Adopted[]> {
  const { found } = parts;
  const answers: Adopted[] = [];
  for (const { id } of found.list().filter((one) => !one.ignored && one.verbs.adopt.allowed)) {
    if (isElsewhere(found, id)) continue;
    try {
      await lookInside(parts, id, actor);
      if (!found.get(id).byCairn) continue;
      answers.push({ found: id, operation: await adoptPool(parts, { found: id }, actor), why: null });
    } catch (error) {
      const { message, remedy } = toAppError(error);
      answers.push({ found: id, operation: null, why: [message, remedy].filter(Boolean).join(' ') });
    }
  }
  return answers;
}
