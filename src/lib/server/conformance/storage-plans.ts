/** What every plan of a storage plugin has to be: lawful, the same each time, with a way back, and true about what it destroys. */
import { isDriveRef, type Action, type Step } from '$lib/plugin-api/plan';
import { identityPath } from '$lib/plugin-api/identity-file';
import type { PoolSpec } from '$lib/plugin-api/storage';
import { checkPlan } from '../plugins/plan-check';
import { elsewhere, frozen, gathered, messageOf, type Rule } from './rule';
import { ODD_LABELS, OTHER_GUID, samplePool, samplePools, type SamplePool, type Sampled } from './samples';
import { shapeProblems, unknownLooks } from './step-shape';

type StorageRule = Rule<Sampled>;
type Verb = 'create' | 'destroy' | 'mount' | 'unmount';
const VERBS: Verb[] = ['create', 'destroy', 'mount', 'unmount'];
const GUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
const RAW = { contentHash: 'sample-hash', partitions: [1, 2] };

/** All plans of a verb, of blank drives and of drives with content. */
const poolsOf = (plugin: Sampled): SamplePool[] => [
  ...samplePools(plugin),
  ...samplePools(plugin, { drive: RAW }).map((pool) => ({ ...pool, title: `${pool.title} with content` })),
];
const planOf = (plugin: Sampled, verb: Verb, spec: PoolSpec): Step[] =>
  (plugin[verb] ?? (() => [])).call(plugin, spec);

/** @param judge what is wrong with one plan */
function eachPlan(
  plugin: Sampled,
  verbs: Verb[],
  judge: (steps: Step[], spec: PoolSpec, verb: Verb) => string[],
): string[] {
  const problems = verbs.flatMap((verb) =>
    poolsOf(plugin).flatMap(({ title, spec }): [string, string][] => {
      const sample = `${verb}, ${title}`;
      try {
        return judge(planOf(plugin, verb, spec), spec, verb).map((problem) => [sample, problem]);
      } catch (error) {
        return [[sample, messageOf(error)]];
      }
    }),
  );
  return gathered(problems);
}

function lawful(plugin: Sampled, steps: Step[], spec: PoolSpec, verb: Verb): string[] {
  const problems = shapeProblems(steps);
  if (problems.length > 0) return problems;
  checkPlan(plugin, spec, steps);
  return steps.length === 0 && verb === 'create' ? ['the plan has no steps'] : [];
}

const actionsOf = ({ run, undo }: Step): Action[] => [run, ...(Array.isArray(undo) ? undo : [])];
const drivesOf = (action: Action): string[] =>
  action.do === 'exec'
    ? action.argv.filter(isDriveRef).map(({ drive }) => drive)
    : action.do === 'mount'
      ? [action.source, ...(action.devices ?? [])].filter(isDriveRef).map(({ drive }) => drive)
      : 'drive' in action
        ? [action.drive]
        : [];

/** On drives that were blank nothing is lost, so all of it has a way back. */
function backProblems(steps: Step[]): string[] {
  const begun = new Set<string>();
  return steps.flatMap((step) => {
    const { name, run, undo } = step;
    if (undo === 'impossible') return [`step ${name} cannot be taken back, though it destroys nothing`];
    if (run.do === 'mount' && !(Array.isArray(undo) && undo.some((act) => act.do === 'unmount')))
      return [`step ${name} mounts, and its way back does not unmount`];
    const first = run.do === 'exec' ? drivesOf(run).filter((drive) => !begun.has(drive)) : [];
    for (const drive of first) begun.add(drive);
    return first.length > 0 && undo === 'nothing'
      ? [`step ${name} is the first that writes to a drive, and nothing takes that back`]
      : [];
  });
}

function destroysProblems(steps: Step[], verb: Verb): string[] {
  // What destroys a pool lets go of its drives first, and erases them in the end.
  const told = new Set<string>(verb === 'create' ? [] : steps.flatMap(({ destroys = [] }) => destroys));
  return steps.flatMap(({ name, run, destroys = [] }) => {
    for (const drive of destroys) told.add(drive);
    const untold = run.do === 'exec' ? drivesOf(run).filter((drive) => !told.has(drive)) : [];
    for (const drive of untold) told.add(drive);
    return untold.length > 0
      ? [`step ${name} is the first that writes to a drive, and does not say so in destroys`]
      : [];
  });
}

export const STORAGE_PLAN_RULES: StorageRule[] = [
  {
    ...{ id: 'options', grade: 'C', title: 'makes a pool from its defaults, or from what check.json says' },
    judge: (plugin) =>
      gathered(
        samplePools(plugin).flatMap(({ layout, spec }): [string, string][] => {
          const secrets = Object.entries(plugin.options).flatMap(([name, { type }]) =>
            type === 'secret' ? [name] : [],
          );
          const asked = { layout: layout.id, options: spec.options, secrets };
          return (plugin.problems?.(asked) ?? []).map(({ option, message }) => [
            layout.id,
            `${option}: ${message}`,
          ]);
        }),
      ),
  },
  {
    ...{ id: 'create', grade: 'C', title: 'plans to create: named steps, each with a look and an undo' },
    judge: (plugin) => eachPlan(plugin, ['create'], (steps, spec, verb) => lawful(plugin, steps, spec, verb)),
  },
  {
    ...{ id: 'destroy', grade: 'C', title: 'plans to destroy, and whatever else it can do' },
    judge: (plugin) =>
      eachPlan(plugin, ['destroy', 'mount', 'unmount'], (steps, spec, verb) =>
        lawful(plugin, steps, spec, verb),
      ),
  },
  {
    ...{ id: 'pure', grade: 'B', title: 'gives the same plan for the same pool, and changes nothing of it' },
    judge: (plugin) =>
      eachPlan(plugin, VERBS, (steps, spec, verb) => {
        const again = elsewhere(() => planOf(plugin, verb, frozen(structuredClone(spec))));
        return JSON.stringify(again) === JSON.stringify(steps)
          ? []
          : ['the plan is another one when it is asked for again'];
      }),
  },
  {
    ...{ id: 'looks', grade: 'B', title: 'has every look that its steps name' },
    judge: (plugin) => eachPlan(plugin, VERBS, (steps) => unknownLooks(plugin.id, plugin.looks, steps)),
  },
  {
    ...{ id: 'names', grade: 'B', title: 'calls steps the same in every pool, and takes every label' },
    judge: (plugin) => [
      ...eachPlan(plugin, VERBS, (steps, spec, verb) => {
        const other = { ...spec, guid: OTHER_GUID, label: 'Other', mountPath: '/mnt/other' };
        const names = steps.map(({ name }) => name);
        const same = planOf(plugin, verb, other).map(({ name }) => name);
        if (names.some((name) => GUID.test(name))) return ['a name of a step has a UUID in it'];
        return names.join() === same.join() ? [] : ['steps are called otherwise in another pool'];
      }),
      ...plugin.layouts.flatMap((layout) =>
        ODD_LABELS.flatMap((label) => {
          const spec = samplePool(plugin, layout, layout.minDrives, { spec: { label } });
          try {
            return lawful(plugin, plugin.create(spec), spec, 'create');
          } catch (error) {
            return [`the label ${JSON.stringify(label)}: ${messageOf(error)}`];
          }
        }),
      ),
    ],
  },
  {
    ...{ id: 'way-back', grade: 'B', title: 'takes back what it made on blank drives' },
    judge: (plugin) =>
      gathered(
        samplePools(plugin).flatMap(({ title, spec }) =>
          backProblems(plugin.create(spec)).map((problem): [string, string] => [title, problem]),
        ),
      ),
  },
  {
    ...{
      id: 'destroys',
      grade: 'B',
      title: 'says which drives a step destroys, so that they are checked before',
    },
    judge: (plugin) =>
      eachPlan(plugin, ['create', 'destroy'], (steps, _spec, verb) => destroysProblems(steps, verb)),
  },
  {
    ...{ id: 'absent-drives', grade: 'B', title: 'leaves drives alone that are not there' },
    judge: (plugin) =>
      gathered(
        samplePools(plugin, { drive: { present: false } }).flatMap(({ title, spec }) =>
          plugin.destroy(spec).flatMap((step): [string, string][] => {
            // Its way back is never begun where nothing could be done.
            const touched = [...drivesOf(step.run), ...(step.destroys ?? [])];
            return touched.length > 0 ? [[title, `step ${step.name} needs a drive that is away`]] : [];
          }),
        ),
      ),
  },
  {
    ...{ id: 'identity', grade: 'A', title: 'writes who the pool is into it, so that any machine knows it' },
    judge: (plugin) =>
      gathered(
        samplePools(plugin)
          .filter(({ spec }) => spec.drives.length > 0)
          .flatMap(({ title, spec }): [string, string][] =>
            plugin
              .create(spec)
              .some((step) =>
                actionsOf(step).some((act) => act.do === 'write-file' && act.path === identityPath(spec)),
              )
              ? []
              : [[title, 'it lacks sdk.writeIdentity']],
          ),
      ),
  },
  {
    ...{ id: 'mounting', grade: 'A', title: 'unmounts its pools, and mounts them again' },
    judge: ({ mount, unmount }) => [
      ...(mount ? [] : ['it has no mount']),
      ...(unmount ? [] : ['it has no unmount']),
    ],
  },
];
