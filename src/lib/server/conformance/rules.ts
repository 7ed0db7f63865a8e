/** Every rule that is asked of a loaded plugin, in the order of the grades. */
import type { Plugin } from '$lib/plugin-api/sdk';
import { GRADES, type Grade } from '$lib/shared/plugin-report';
import type { Rule } from './rule';
import type { Sampled } from './samples';
import { STORAGE_ANSWER_RULES } from './storage-answers';
import { CAPACITY_RULE } from './storage-capacity';
import { STORAGE_PLAN_RULES } from './storage-plans';
import { VM_RULES } from './vm-rules';

export interface BoundRule {
  id: string;
  grade: Grade;
  title: string;
  judge(): Promise<string[]>;
}

const bound = <P>(rules: Rule<P>[], plugin: P): BoundRule[] =>
  rules.map(({ id, grade, title, judge }) => ({ id, grade, title, judge: async () => judge(plugin) }));

/** @param sampleOptions see Sampled */
export function rulesFor(plugin: Plugin, sampleOptions: Sampled['sampleOptions'] = {}): BoundRule[] {
  const rules =
    plugin.kind === 'storage'
      ? bound(
          [...STORAGE_PLAN_RULES, CAPACITY_RULE, ...STORAGE_ANSWER_RULES],
          // The plugin itself, whatever its methods do with `this`.
          Object.create(plugin, { sampleOptions: { value: sampleOptions } }) as Sampled,
        )
      : bound(VM_RULES, plugin);
  return rules.toSorted((a, b) => GRADES.indexOf(a.grade) - GRADES.indexOf(b.grade));
}
