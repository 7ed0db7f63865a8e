/**
 * CPUs and memory of a domain that is off, by libvirt's own verbs: they change these values and nothing else, so that what somebody
 * added to the definition stays. How CPUs are arranged has no verb, and together with their number it is changed in the definition:
 * one that holds a password stays as it is, because what is done is shown and kept. Pure.
 */
import type { JsonObject, PluginContext, Step, VmShape, VmSpec, VmTopology } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { editStep, topologyOf, withCpus } from './definition';
import { look, run } from './domain-steps';
import type { DomainSize, SizeField } from './parse-size';
import { readEditable, readSize } from './virsh';

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

/** `definition`: as libvirt writes it; `why`: why it cannot be changed. */
type Facts = DomainSize & { definition: string; why: string | null; topology: VmTopology | null };

const sameTopology = (a: VmTopology | null, b: VmTopology | null): boolean =>
  a?.sockets === b?.sockets && a?.cores === b?.cores && a?.threads === b?.threads;

function planResize(sdk: PluginSdk, { id }: VmSpec, to: VmShape, from: Facts): Step[] {
  const { cpus, memoryBytes, topology } = to;
  const steps = (verbs: Verb[], value: number): Step[] =>
    verbs
      .filter(({ field }) => from[field] !== value)
      .map(({ name, title, field, argv }) => ({
        ...{ name, title, run: run(...argv(id, value)), undo: [run(...argv(id, from[field]))] },
        look: look('size', { id, field, is: value, was: from[field] }),
      }));
  const memory = steps(inOrder(MOST_MEMORY, MEMORY, from, kib(memoryBytes)), kib(memoryBytes));
  // Their number and how they are arranged have to fit at every moment.
  if (from.topology === null && topology === null)
    return [...steps(inOrder(MOST_CPUS, CPUS, from, cpus), cpus), ...memory];
  const isSame =
    sameTopology(from.topology, topology) && from['vcpu.maximum'] === cpus && from['vcpu.current'] === cpus;
  if (isSame) return memory;
  const { definition: was } = from;
  return [
    editStep(sdk, {
      ...{ id, part: 'cpus', name: 'arrange-cpus', was },
      title: topology
        ? `Give it ${topology.sockets} × ${topology.cores} × ${topology.threads} CPUs`
        : 'Give it CPUs that are a socket each',
      is: withCpus(sdk, sdk.parseXml(was), cpus, topology),
    }),
    ...memory,
  ];
}

export const resizeOf = (sdk: PluginSdk) => ({
  async facts(context: PluginContext, { id }: VmSpec): Promise<JsonObject> {
    const [size, editable] = await Promise.all([readSize(sdk)(context, id), readEditable(context, id)]);
    const topology = topologyOf(sdk, sdk.parseXml(editable.definition));
    return { ...size, ...editable, topology: topology && { ...topology } };
  },
  topologyWhy: (facts: JsonObject): string | null => (facts as unknown as Facts).why,
  plan: (spec: VmSpec, to: VmShape, facts: JsonObject): Step[] =>
    planResize(sdk, spec, to, facts as unknown as Facts),
});
