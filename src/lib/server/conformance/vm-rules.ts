/** What every engine for machines has to keep, as far as it can be told without one. */
import type { Step } from '$lib/plugin-api/plan';
import type { VmPlugin, VmSpec } from '$lib/plugin-api/vm';
import { heldVmReadings } from '../plugins/answers';
import { checkVmPlan } from '../plugins/plan-check';
import { withTimeout } from '../plugins/time-limit';
import { elsewhere, frozen, gathered, messageOf, type Rule } from './rule';
import { NONSENSE, sampleMachine } from './sample-machine';
import { EMPTY_ORIGIN, OTHER_GUID, sampleVm } from './samples';
import { shapeProblems, unknownLooks } from './step-shape';

type VmRule = Rule<VmPlugin>;
const LIMIT_MS = 10_000;

const PLANS: Record<string, (plugin: VmPlugin, spec: VmSpec) => Step[]> = {
  create: (plugin, spec) => plugin.create(spec, EMPTY_ORIGIN),
  destroy: (plugin, spec) => plugin.destroy(spec, { keepFolder: false }),
  start: (plugin, spec) => plugin.start(spec),
  stop: (plugin, spec) => plugin.stop(spec, null),
};

function eachPlan(
  plugin: VmPlugin,
  judge: (steps: Step[], spec: VmSpec, verb: string) => string[],
): string[] {
  const spec = sampleVm();
  return gathered(
    Object.entries(PLANS).flatMap(([verb, plan]): [string, string][] => {
      try {
        return judge(plan(plugin, spec), spec, verb).map((problem) => [verb, problem]);
      } catch (error) {
        return [[verb, messageOf(error)]];
      }
    }),
  );
}

function lawful(plugin: VmPlugin, steps: Step[], spec: VmSpec): string[] {
  const problems = shapeProblems(steps);
  if (problems.length > 0) return problems;
  checkVmPlan(plugin, spec, steps);
  return steps.length === 0 ? ['the plan has no steps'] : [];
}

async function read(plugin: VmPlugin, answer: (typeof NONSENSE)[number] | null) {
  const machine = sampleMachine(plugin.programs, answer);
  try {
    const readings = await withTimeout(LIMIT_MS, 'its status', async () =>
      heldVmReadings(await plugin.status(machine.context)),
    );
    return { machine, readings, error: null };
  } catch (error) {
    return { machine, readings: null, error };
  }
}

export const VM_RULES: VmRule[] = [
  {
    ...{ id: 'create', grade: 'C', title: 'plans: named steps, each with a look and an undo' },
    judge: (plugin) => eachPlan(plugin, (steps, spec) => lawful(plugin, steps, spec)),
  },
  {
    ...{
      id: 'reads',
      grade: 'C',
      title: 'reads with programs that it declares, and answers by the contract',
    },
    async judge(plugin) {
      const { machine, error } = await read(plugin, NONSENSE[0] ?? null);
      const wrong = error instanceof Error && /must not give|took longer/.test(error.message);
      return [
        ...machine.undeclared.map((program) => `it runs ${program}`),
        ...(wrong ? [error.message] : []),
      ];
    },
  },
  {
    ...{
      id: 'pure',
      grade: 'B',
      title: 'gives the same plan for the same machine, and changes nothing of it',
    },
    judge: (plugin) =>
      eachPlan(plugin, (steps, spec, verb) => {
        const again = elsewhere(() => PLANS[verb]?.(plugin, frozen(structuredClone(spec))));
        return JSON.stringify(again) === JSON.stringify(steps)
          ? []
          : ['the plan is another one when it is asked for again'];
      }),
  },
  {
    ...{ id: 'looks', grade: 'B', title: 'has every look that its steps name' },
    judge: (plugin) => eachPlan(plugin, (steps) => unknownLooks(plugin.id, plugin.looks, steps)),
  },
  {
    ...{ id: 'names', grade: 'B', title: 'calls steps the same for every machine' },
    judge: (plugin) =>
      eachPlan(plugin, (steps, spec, verb) => {
        const other = PLANS[verb]?.(plugin, { ...spec, id: OTHER_GUID, name: 'db' }) ?? [];
        return steps.map(({ name }) => name).join() === other.map(({ name }) => name).join()
          ? []
          : ['steps are called otherwise for another machine'];
      }),
  },
  {
    ...{ id: 'way-back', grade: 'B', title: 'takes back what it made' },
    judge: (plugin) =>
      PLANS.create?.(plugin, sampleVm()).flatMap(({ name, undo }) =>
        undo === 'impossible' ? [`step ${name} cannot be taken back, though it destroys nothing`] : [],
      ) ?? [],
  },
  {
    ...{ id: 'garbage', grade: 'B', title: 'takes output that it does not understand for an error' },
    async judge(plugin) {
      const problems: [string, string][] = [];
      for (const answer of NONSENSE) {
        const { machine, readings } = await read(plugin, answer);
        if (readings && machine.wasRead())
          problems.push([answer.title, `a program says nonsense, and there are ${readings.length} machines`]);
      }
      const { machine, readings } = await read(plugin, null);
      if (readings && machine.wasRun())
        problems.push(['', 'all of its programs fail, and its status is fine']);
      return gathered(problems);
    },
  },
];
