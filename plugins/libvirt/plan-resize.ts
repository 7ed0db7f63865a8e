/**
 * CPUs and memory of a domain that is off, by libvirt's own verbs: they change these values and nothing else, so that what somebody
 * added to the definition stays, and no definition (which may hold a password) is read, shown or written. Pure.
 */
import type { JsonObject, Step, VmSize, VmSpec } from '../../src/lib/plugin-api';
import { look, run } from './domain-steps';
import type { DomainSize, SizeField } from './parse-size';

interface Verb {
  name: string;
  title: string;
  field: SizeField;
  /** @param value CPUs or KiB */
  argv: (id: string, value: number) => string[];
}
const MOST_CPUS: Verb = {
  ...{ name: 'set-most-cpus', title: 'Set how many CPUs it can have', field: 'vcpu.maximum' },
  argv: (id, value) => ['setvcpus', id, String(value), '--config', '--maximum'],
};
const CPUS: Verb = {
  ...{ name: 'set-cpus', title: 'Set how many CPUs it has', field: 'vcpu.current' },
  argv: (id, value) => ['setvcpus', id, String(value), '--config'],
};
const MOST_MEMORY: Verb = {
  ...{ name: 'set-most-memory', title: 'Set how much memory it can have', field: 'balloon.maximum' },
  argv: (id, value) => ['setmaxmem', id, `${value}KiB`, '--config'],
};
const MEMORY: Verb = {
  ...{ name: 'set-memory', title: 'Set how much memory it has', field: 'balloon.current' },
  argv: (id, value) => ['setmem', id, `${value}KiB`, '--config'],
};

/** Never more than it can have, at any step, on the way back too. */
const inOrder = (most: Verb, has: Verb, from: DomainSize, to: number): Verb[] =>
  to > from[most.field] ? [most, has] : [has, most];

/** libvirt counts memory in KiB, rounded up. */
const kib = (bytes: number): number => Math.ceil(bytes / 1024);

export function planResize({ id }: VmSpec, { cpus, memoryBytes }: VmSize, facts: JsonObject): Step[] {
  const from = facts as DomainSize;
  const steps = (verbs: Verb[], to: number): Step[] =>
    verbs
      .filter(({ field }) => from[field] !== to)
      .map(({ name, title, field, argv }) => ({
        ...{ name, title, run: run(...argv(id, to)), undo: [run(...argv(id, from[field]))] },
        look: look('size', { id, field, is: to, was: from[field] }),
      }));
  return [
    ...steps(inOrder(MOST_CPUS, CPUS, from, cpus), cpus),
    ...steps(inOrder(MOST_MEMORY, MEMORY, from, kib(memoryBytes)), kib(memoryBytes)),
  ];
}
