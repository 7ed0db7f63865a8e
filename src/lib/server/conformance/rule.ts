/** A rule of the kit: one sentence, and how it is found out. */
import type { Step } from '$lib/plugin-api/plan';
import type { Plugin } from '$lib/plugin-api/sdk';
import type { Grade } from '$lib/shared/plugin-report';

export interface Rule<P = Plugin> {
  id: string;
  grade: Grade;
  /** What is so when it has passed. */
  title: string;
  /** @returns what is wrong; empty: nothing. What it throws is wrong, too. */
  judge(plugin: P): string[] | Promise<string[]>;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The same complaint about many samples is told once. */
export function gathered(problems: [sample: string, problem: string][]): string[] {
  const samples = Map.groupBy(problems, ([, problem]) => problem);
  return [...samples].map(([problem, of]) => {
    const [first = '', ...others] = [...new Set(of.map(([sample]) => sample))];
    const where = [first, ...(others.length > 0 ? [`and ${others.length} more`] : [])].filter(Boolean);
    return where.length > 0 ? `${problem} (${where.join(' ')})` : problem;
  });
}

/** A plan of a sample, or why there is none. */
export interface Planned {
  sample: string;
  steps: Step[];
}
/** Freezes what a plugin is given, all the way down: who changes it is told so by the engine of the language. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

/** Does it with another clock and other chance, as a restart would: what is pure does not notice. */
export function elsewhere<T>(work: () => T): T {
  const [now, random, uuid] = [Date.now, Math.random, crypto.randomUUID];
  Date.now = () => 1_000_000;
  Math.random = () => 0.25;
  crypto.randomUUID = () => '00000000-0000-4000-8000-000000000000';
  try {
    return work();
  } finally {
    Date.now = now;
    Math.random = random;
    crypto.randomUUID = uuid;
  }
}
