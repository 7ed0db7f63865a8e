/** Before a plugin's plan is shown or run: it may use its own programs and its own drives and files, nothing else. */
import { dirname, normalize } from 'node:path/posix';
import { isDriveRef, type Action, type Step } from '$lib/plugin-api/plan';
import type { Plugin } from '$lib/plugin-api/sdk';
import type { PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { VmPlugin, VmSpec } from '$lib/plugin-api/vm';
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
  receive: 'takes a file that is sent, which no plugin may',
  'try-memory': 'takes the memory of the host, which no plugin may',
  'check-digests': 'reads files for checksums, which no plugin may',
  'write-manifest': 'reads files for checksums, which no plugin may',
  'copy-in': 'copies a file of this host, which no plugin may',
  'unpack-release': 'changes the version of Cairn, which no plugin may',
  'remove-release': 'changes the version of Cairn, which no plugin may',
  'point-link': 'changes the version of Cairn, which no plugin may',
  'save-database': 'copies the database, which no plugin may',
  'be-alone': 'keeps everything else from its work, which no plugin may',
  'start-anew': 'starts Cairn anew, which no plugin may',
} as const satisfies Partial<Record<Action['do'], string>>;

const isCoreOnly = (name: Action['do']): name is keyof typeof CORE_ONLY => Object.hasOwn(CORE_ONLY, name);

const isPlain = (path: string): boolean => normalize(path) === path;
const isWithin = (path: string, folder: string): boolean =>
  isPlain(path) && (path === folder || path.startsWith(`${folder}/`));

/** What a plan of any plugin must not do. */
const commonProblems = (plugin: Plugin, step: Step): string[] =>
  actionsOf(step).flatMap((action) => {
    if (isCoreOnly(action.do)) return [CORE_ONLY[action.do]];
    return action.do === 'exec' && !plugin.programs.includes(action.program)
      ? [`runs ${action.program}, which it does not declare`]
      : [];
  });
const actionsOf = (step: Step): Action[] => [step.run, ...(Array.isArray(step.undo) ? step.undo : [])];

function poolProblems(plugin: StoragePlugin, spec: PoolSpec, step: Step): string[] {
  const own = new Set(spec.drives.map((drive) => drive.id));
  const drives = [...actionsOf(step).flatMap(drivesOf), ...(step.destroys ?? [])];
  const paths = actionsOf(step).flatMap(pathsOf);
  return [
    ...commonProblems(plugin, step),
    ...drives.filter((id) => !own.has(id)).map((id) => `touches drive ${id}, which is not the pool's`),
    // After a reboot it would be done again, on what has become of the drive since.
    ...(step.look.untilReboot && (step.destroys ?? []).length > 0
      ? ['destroys something and would be repeated after a reboot']
      : []),
    ...paths
      .filter((path) => !isWithin(path, spec.mountPath))
      .map((path) => `touches ${path}, outside of the pool`),
  ];
}

/** Its own folder; the one above may be made, and is not touched otherwise. An adopted machine has none. */
function vmProblems(plugin: VmPlugin, spec: VmSpec, step: Step): string[] {
  const drives = [...actionsOf(step).flatMap(drivesOf), ...(step.destroys ?? [])];
  const strange = actionsOf(step)
    .filter((action) => action.do !== 'make-directory' || action.path !== dirname(spec.folder))
    .flatMap(pathsOf)
    .filter((path) => spec.adopted !== undefined || !isWithin(path, spec.folder));
  return [
    ...commonProblems(plugin, step),
    ...drives.map((id) => `touches drive ${id}, which no machine may`),
    ...strange.map((path) => `touches ${path}, outside of the machine's folder`),
  ];
}

function check(plugin: Plugin, steps: Step[], problemsOf: (step: Step) => string[]): Step[] {
  const names = new Set(steps.map((step) => step.name));
  if (names.size !== steps.length)
    throw new AppError('bug', `The plugin ${plugin.id} made a plan with two steps of the same name.`);
  for (const step of steps) {
    const [problem] = problemsOf(step);
    if (problem) throw new AppError('bug', `Step ${step.name} of the plugin ${plugin.id} ${problem}.`);
  }
  return steps;
}

/** @throws AppError bug that names the step and what is wrong with it */
export const checkPlan = (plugin: StoragePlugin, spec: PoolSpec, steps: Step[]): Step[] =>
  check(plugin, steps, (step) => poolProblems(plugin, spec, step));
export const checkVmPlan = (plugin: VmPlugin, spec: VmSpec, steps: Step[]): Step[] =>
  check(plugin, steps, (step) => vmProblems(plugin, spec, step));
