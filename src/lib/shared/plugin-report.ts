/** What the conformance kit says of a plugin: `cairn plugins check`. */

/** C: it can be loaded, and its plans are lawful. B: it can be relied on. A: it is complete, and proven on drives. */
export const GRADES = ['C', 'B', 'A'] as const;
export type Grade = (typeof GRADES)[number];

export type RuleOutcome = 'passed' | 'failed' | 'not-tried';
export interface RuleResult {
  id: string;
  grade: Grade;
  /** What is so when it has passed. */
  title: string;
  outcome: RuleOutcome;
  /** What is wrong, or why it was not tried; empty when it has passed. */
  details: string[];
}

export interface PluginReport {
  folder: string;
  /** null: its plugin.json does not say. */
  id: string | null;
  version: string | null;
  kind: 'storage' | 'vm' | null;
  /** null: not even C. */
  grade: Grade | null;
  /** The next grade and the ids of the rules that it lacks for it; null: there is none. */
  next: { grade: Grade; missing: string[] } | null;
  rules: RuleResult[];
  /** Neither right nor wrong: what should be known of this machine. */
  notes: string[];
}

/** What the kit says while it works, a message each: a rule is begun, has ended, or all are over. */
export type KitMessage =
  | { at: Pick<RuleResult, 'id' | 'grade' | 'title'> }
  | { rule: RuleResult }
  | { about: Pick<PluginReport, 'id' | 'version' | 'kind'> }
  | { note: string }
  | { end: true };

/** A grade needs all of its rules, and those of the grades below. */
export function gradeOf(rules: readonly RuleResult[]): Pick<PluginReport, 'grade' | 'next'> {
  let grade: Grade | null = null;
  for (const one of GRADES) {
    const missing = rules.filter((rule) => rule.grade === one && rule.outcome !== 'passed');
    if (missing.length > 0) return { grade, next: { grade: one, missing: missing.map(({ id }) => id) } };
    grade = one;
  }
  return { grade, next: null };
}
