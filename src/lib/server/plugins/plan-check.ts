/** Before a plugin's plan is shown or run: it may use its own programs and its own drives, nothing else. */
import { normalize } from 'node:path/posix';
import { isDriveRef, type Action, type Step } from '$lib/plugin-api/plan';
import type { PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import { AppError } from '../errors';

const drivesOf = (action: Action): string[] => {
  switch (action.do) {
    case 'exec':
      return action.argv.filter(isDriveRef).map((ref) => ref.drive);
    case 'mount':
      return [action.source, ...(action.devices ?? [])].filter(isDriveRef).map((ref) => ref.drive);
    case 'forget-btrfs':
      return action.at.map((ref) => ref.drive);
    case 'reread-partitions':
    case 'forget-partitions':
      return [action.drive];
    default:
      return [];
  }
};
const pathsOf = (action: Action): string[] => [
  ...('path' in action ? [action.path] : []),
  ...('from' in action ? [action.from] : []),
  ...('into' in action ? [action.into] : []),
];

const CORE_ONLY = {
  'end-process': 'ends a process, which no plugin may',
  download: 'downloads a file, which no plugin may',
} as const satisfies Partial<Record<Action['do'], string>>;

function problemsOf(plugin: StoragePlugin, spec: PoolSpec, step: Step): string[] {
  const actions = [step.run, ...(Array.isArray(step.undo) ? step.undo : [])];
  const own = new Set(spec.drives.map((drive) => drive.id));
  const inside = (path: string): boolean =>
    normalize(path) === path && (path === spec.mountPath || path.startsWith(`${spec.mountPath}/`));
  const programs = actions.flatMap((action) => (action.do === 'exec' ? [action.program] : []));
  const drives = [...actions.flatMap(drivesOf), ...(step.destroys ?? [])];
  const paths = actions.flatMap(pathsOf);
  return [
    ...actions.flatMap(({ do: what }) =>
      what === 'end-process' || what === 'download' ? [CORE_ONLY[what]] : [],
    ),
    ...programs
      .filter((name) => !plugin.programs.includes(name))
      .map((name) => `runs ${name}, which it does not declare`),
    ...drives.filter((id) => !own.has(id)).map((id) => `touches drive ${id}, which is not the pool's`),
    // After a reboot it would be done again, on what has become of the drive since.
    ...(step.look.untilReboot && (step.destroys ?? []).length > 0
      ? ['destroys something and would be repeated after a reboot']
      : []),
    ...paths.filter((path) => !inside(path)).map((path) => `touches ${path}, outside of the pool`),
  ];
}

/** @throws AppError bug that names the step and what is wrong with it */
export function checkPlan(plugin: StoragePlugin, spec: PoolSpec, steps: Step[]): Step[] {
  const names = new Set(steps.map((step) => step.name));
  if (names.size !== steps.length)
    throw new AppError('bug', `The plugin ${plugin.id} made a plan with two steps of the same name.`);
  for (const step of steps) {
    const [problem] = problemsOf(plugin, spec, step);
    if (problem) throw new AppError('bug', `Step ${step.name} of the plugin ${plugin.id} ${problem}.`);
  }
  return steps;
}
