/**
 * Steps of the core around a plugin's plan: where systemd runs, a pool that is mounted gets a unit with which PID 1 mounts it
 * at every boot, also without Cairn; one that is unmounted on purpose, released or removed loses it first.
 */
import { not, type Action, type Look, type Step } from '$lib/plugin-api/plan';
import { removeMountPoint } from '$lib/plugin-api/steps';
import type { PoolSpec } from '$lib/plugin-api/storage';
import type { Config } from '../config';
import { systemdRuns } from '../host/mount-command';
import { mountUnit, unitPath, type MountUnit } from '../host/mount-units';
import { PROGRAMS } from '../host/programs';

type UnitConfig = Partial<Pick<Config, 'sandbox'>>;
type MountAction = Extract<Action, { do: 'mount' }>;

/** Sandbox drives are there only once Cairn has attached them: nothing to do for PID 1. */
const usesUnits = ({ sandbox = false }: UnitConfig): boolean => systemdRuns() && !sandbox;

/**
 * Mounted as the last of the steps does it: a plan may have mounted something else of the pool there before. Not for ZFS: its
 * pools have to be imported first, and no device carries their UUID.
 */
function unitOf(spec: PoolSpec, steps: Step[]): MountUnit | null {
  const actions = steps.flatMap((step) => [step.run, ...(Array.isArray(step.undo) ? step.undo : [])]);
  const mount = actions.findLast(
    (action): action is MountAction => action.do === 'mount' && action.path === spec.mountPath,
  );
  if (!mount || mount.filesystem === 'zfs') return null;
  const { source, filesystem, options } = mount;
  const remote = 'source' in source;
  return mountUnit({
    ...{ guid: spec.guid, mountPath: spec.mountPath, filesystem, options, remote },
    source: remote ? source.source : `/dev/disk/by-uuid/${spec.guid}`,
  });
}

const systemctl = (verb: string, name: string): Action => ({
  do: 'exec',
  program: PROGRAMS.systemctl,
  argv: [verb, '--quiet', '--', name],
});
const unitLook = (path: string, content?: string): Look => ({
  look: 'mount-unit',
  args: { path, ...(content === undefined ? {} : { content }) },
});
const linkLook = (unit: MountUnit): Look => ({ look: 'mount-unit-link', args: { path: unit.link } });
const UNIT_MODE = 0o644;

/** The plugin's steps, and then those that let PID 1 mount the pool from now on. */
export function keepMounted(config: UnitConfig, spec: PoolSpec, steps: Step[]): Step[] {
  const unit = usesUnits(config) ? unitOf(spec, steps) : null;
  if (!unit) return steps;
  return [
    ...steps,
    {
      name: 'write-mount-unit',
      title: `Describe the mount to systemd in ${unit.path}`,
      run: { do: 'write-file', path: unit.path, content: unit.content, mode: UNIT_MODE },
      undo: [{ do: 'remove-file', path: unit.path }],
      look: unitLook(unit.path, unit.content),
    },
    {
      name: 'enable-mount-unit',
      title: 'Have systemd mount it at every start, also without Cairn',
      run: systemctl('enable', unit.name),
      undo: [systemctl('disable', unit.name)],
      look: linkLook(unit),
    },
  ];
}

/** Steps that keep PID 1 from mounting it again, and then the plugin's. */
export function stopKeeping(config: UnitConfig, spec: PoolSpec, steps: Step[]): Step[] {
  const unit = usesUnits(config) ? unitOf(spec, steps) : null;
  if (!unit) return steps;
  return [
    {
      name: 'disable-mount-unit',
      title: 'Let systemd mount it no more',
      run: systemctl('disable', unit.name),
      undo: [systemctl('enable', unit.name)],
      look: not(linkLook(unit)),
    },
    {
      name: 'remove-mount-unit',
      title: `Remove ${unit.path}`,
      run: { do: 'remove-file', path: unit.path },
      undo: [{ do: 'write-file', path: unit.path, content: unit.content, mode: UNIT_MODE }],
      look: not(unitLook(unit.path)),
    },
    ...steps,
  ];
}

/** After a release the folder is an empty one like any other, where the plugin leaves it. */
export function freeMountPoint(spec: PoolSpec, steps: Step[]): Step[] {
  const names = new Set(steps.map((step) => step.name));
  const unprotect = removeMountPoint(spec).filter(({ name }) => name === 'unprotect-mount-point');
  return [...steps, ...unprotect.filter(({ name }) => !names.has(name))];
}

/** Where the unit of a pool lies that PID 1 mounts; null: here it mounts none. */
export const keptUnitPath = (config: UnitConfig, mountPath: string): string | null =>
  usesUnits(config) ? unitPath(mountPath) : null;
