/** From a request about a pool that is there to its plan. Nothing is changed. */
import type { PoolSpec } from '$lib/plugin-api/storage';
import type { JsonObject } from '$lib/shared/json';
import { labelIssues, labelKey } from '$lib/shared/names';
import { poolRenameRequest, poolRequest, requestIssues } from '$lib/shared/wire/requests';
import { erasureOf } from '../drives/erasure';
import { AppError, issue, issuesError } from '../errors';
import type { Prepared } from '../operations/types';
import type { PoolDeps } from './deps';
import { keepMounted, stopKeeping } from './keep-mounted';
import { findByLabel } from './store';
import { isMounted, mountAgain, preparedOf, refuseWhileUsed, subjectOf, type Subject } from './subject';

const guidOf = (request: JsonObject): string => {
  const parsed = poolRequest.safeParse(request);
  if (parsed.success) return parsed.data.poolGroupGuid;
  throw issuesError(requestIssues(parsed.error));
};

const missingNote = (spec: PoolSpec): string[] => {
  const gone = spec.drives.filter((drive) => !drive.present);
  return gone.length === 0
    ? []
    : [`Not there, so not erased: ${gone.map((drive) => drive.serial ?? drive.label).join(', ')}.`];
};

export async function prepareRemove(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const subject = await subjectOf(deps, guidOf(request), ['ready', 'unmounted', 'error']);
  const { spec, plugin, drives } = subject;
  const needing = deps.neededBy?.(spec.guid) ?? [];
  if (needing.length > 0)
    throw new AppError('pool_needed', `What ${needing.join(', ')} run from is on the pool "${spec.label}".`, {
      details: { machines: needing },
    });
  await refuseWhileUsed(deps, spec);
  return preparedOf(subject, {
    title: `Remove pool "${spec.label}"`,
    steps: () => plugin.destroy(spec),
    around: (steps) => stopKeeping(deps.config, spec, steps),
    erases: drives.flatMap((drive) => erasureOf(drive) ?? []),
    notes: [
      ...missingNote(spec),
      ...(plugin.sourceOf ? [`Nothing at ${plugin.sourceOf(spec)} is touched: its files stay there.`] : []),
    ],
  });
}

/** More drives missing than the layout survives: then there is nothing that could be mounted. */
function refuseWhenIncomplete({ spec, plugin }: Subject): string[] {
  const gone = spec.drives.filter((drive) => !drive.present);
  if (gone.length === 0) return [];
  const names = gone.map((drive) => drive.serial ?? drive.label).join(', ');
  const layout = plugin.layouts.find((candidate) => candidate.id === spec.layout);
  if (gone.length > (layout?.tolerance(spec.drives.length) ?? 0))
    throw new AppError('drive_gone', `The pool "${spec.label}" cannot be mounted without drive ${names}.`, {
      details: { drives: gone.map((drive) => drive.id) },
      remedy: 'Plug it in again, then mount the pool.',
    });
  return [`Mounted degraded, without drive ${names}: one more loss would lose data.`];
}

export async function prepareMount(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const subject = await subjectOf(deps, guidOf(request), ['ready', 'unmounted', 'error']);
  const { spec, plugin } = subject;
  const { mount } = plugin;
  if (!mount) throw new AppError('not_supported', `${plugin.name} pools cannot be mounted by themselves.`);
  return preparedOf(subject, {
    title: `Mount pool "${spec.label}"`,
    notes: refuseWhenIncomplete(subject),
    steps: () => mount.call(plugin, spec),
    around: (steps) => keepMounted(deps.config, spec, steps),
  });
}

/** For a pool that is mounted: its mount point is protected, and PID 1 mounts it at the next start. */
export async function prepareKeep(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const subject = await subjectOf(deps, guidOf(request), ['ready']);
  const { spec, plugin } = subject;
  if (!isMounted(deps, spec))
    throw new AppError('pool_wrong_state', `The pool "${spec.label}" is not mounted.`);
  // The unit follows from how the plugin mounts it; of the plan itself nothing is needed.
  const mounting = plugin.mount?.(spec) ?? [];
  return preparedOf(subject, {
    title: `Have pool "${spec.label}" mounted at every start`,
    steps: () => mounting.filter((step) => step.name === 'protect-mount-point'),
    around: (steps) => [...steps, ...keepMounted(deps.config, spec, mounting).slice(mounting.length)],
  });
}

export async function prepareUnmount(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const subject = await subjectOf(deps, guidOf(request), ['ready', 'unmounted', 'error']);
  const { spec, plugin } = subject;
  const { unmount } = plugin;
  if (!unmount) throw new AppError('not_supported', `${plugin.name} pools cannot be unmounted.`);
  await refuseWhileUsed(deps, spec);
  return preparedOf(subject, {
    title: `Unmount pool "${spec.label}"`,
    steps: () => unmount.call(plugin, spec),
    around: (steps) => stopKeeping(deps.config, spec, steps),
  });
}

/** The label that is being given away and the new one are both held: no other rename may take them meanwhile. */
export const labelLock = (label: string): string => `label:${labelKey(label)}`;

export async function prepareRename(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const parsed = poolRenameRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const newLabel = parsed.data.label.normalize('NFC');
  const subject = await subjectOf(deps, parsed.data.poolGroupGuid, ['ready']);
  const { spec, plugin } = subject;
  const { rename } = plugin;
  if (!rename) throw new AppError('not_supported', `${plugin.name} pools cannot be renamed.`);
  const other = findByLabel(deps.db, newLabel);
  const issues = labelIssues(newLabel);
  if (issues.length === 0 && other && other.guid !== spec.guid)
    issues.push(issue('label_duplicate', `Another pool is called "${other.label}".`, 'label'));
  if (issues.length > 0) throw issuesError(issues);
  if (!isMounted(deps, spec))
    throw new AppError('pool_wrong_state', `The pool "${spec.label}" is not mounted.`, {
      remedy: 'Mount it first: the new label is also written into it.',
    });
  return preparedOf(subject, {
    title: `Rename pool "${spec.label}" to "${newLabel}"`,
    steps: () => [...mountAgain(deps, subject), ...rename.call(plugin, spec, newLabel)],
    locks: [...new Set([labelLock(spec.label), labelLock(newLabel)])],
    newLabel,
  });
}
