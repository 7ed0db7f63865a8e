/** From the request of a new pool to its plan: everything that is wrong is told at once, and nothing is changed. */
import { randomUUID } from 'node:crypto';
import { optionsSchema } from '$lib/plugin-api/fields';
import type { Layout, PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { Issue } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';
import { defaultMountPath, labelIssues } from '$lib/shared/names';
import { requestIssues, type PoolCreateRequest } from '$lib/shared/wire/requests';
import { erasureOf, expectationOf } from '../drives/erasure';
import { AppError, issue, issuesError } from '../errors';
import type { Prepared } from '../operations/types';
import { checkPlan } from '../plugins/plan-check';
import { pluginError } from '../plugins/plugin-error';
import { chooseDrives, countIssues, namedDrives, type Choice } from './choose-drives';
import type { PoolDeps } from './deps';
import { keepMounted } from './keep-mounted';
import { judgeMountPath } from './mount-path';
import { poolCreatePlan, secretsPath, type PoolCreatePlan } from './secrets';
import { locksOf, toInput } from './spec';
import { findByLabel, findPool, listPools } from './store';

export const CREATE = 'pool.create';

/** @throws AppError invalid_input | unknown_field with all issues */
function parsePlan(request: unknown): PoolCreatePlan {
  const parsed = poolCreatePlan.safeParse(request);
  if (parsed.success) return parsed.data;
  throw issuesError(requestIssues(parsed.error));
}

function findPlugin(deps: PoolDeps, id: string): { plugin: StoragePlugin | null; issues: Issue[] } {
  try {
    return { plugin: deps.plugins.storage(id), issues: [] };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // What can be said about layout, drives and options is still said when the plugin only lacks a program.
    return {
      plugin: deps.plugins.known(id),
      issues: [issue(error.code, error.message, 'plugin', error.remedy)],
    };
  }
}

function findLayout(plugin: StoragePlugin | null, id: string): { layout: Layout | null; issues: Issue[] } {
  const layout = plugin?.layouts.find((candidate) => candidate.id === id) ?? null;
  if (!plugin || layout) return { layout, issues: [] };
  const known = plugin.layouts.map((candidate) => candidate.id).join(', ');
  return {
    layout: null,
    issues: [issue('unknown_layout', `${plugin.name} has no layout "${id}"; it has ${known}.`, 'layout')],
  };
}

/** Options with every default; a field that does not belong to the layout keeps its default. */
export function completeOptions(
  plugin: StoragePlugin,
  layout: string,
  options: PoolCreateRequest['options'],
  secrets: string[] = [],
): { options: PoolSpec['options']; issues: Issue[] } {
  const parsed = optionsSchema(plugin.options).safeParse(options);
  if (!parsed.success) return { options: {}, issues: requestIssues(parsed.error, 'options') };
  const values = { ...parsed.data } as PoolSpec['options'];
  for (const [name, field] of Object.entries(plugin.options))
    if (field.layouts && !field.layouts.includes(layout))
      values[name] = field.type === 'secret' ? '' : field.default;
  for (const [name, field] of Object.entries(plugin.options))
    if (field.type === 'secret') delete values[name];
  // Of a layout that there is not, nothing can be said.
  const known = plugin.layouts.some(({ id }) => id === layout);
  const problems = known ? (plugin.problems?.({ layout, options: values, secrets }) ?? []) : [];
  return {
    options: values,
    issues: problems.map(({ option, message, remedy }) =>
      issue('option_invalid', message, `options.${option}`, remedy),
    ),
  };
}

function labelConflicts(deps: PoolDeps, label: string): Issue[] {
  const other = findByLabel(deps.db, label);
  return other ? [issue('label_duplicate', `Another pool is called "${other.label}".`, 'label')] : [];
}

/** What sits on the drives is read now: the plan's hash is bound to it. */
async function readChosen(deps: PoolDeps, request: PoolCreateRequest): Promise<void> {
  const names = namedDrives(request, deps.drives.list()).flatMap((drive) => drive.kernelName ?? []);
  if (names.length > 0) await deps.drives.refresh(names);
}

function plan(plugin: StoragePlugin, spec: PoolSpec): Prepared['steps'] {
  try {
    return checkPlan(plugin, spec, plugin.create(spec));
  } catch (error) {
    throw pluginError(plugin.id, error);
  }
}

const slotsOf = (choices: Choice[]): PoolSpec['drives'] =>
  choices.map(({ drive, label }, slot) => ({
    id: drive.id,
    serial: drive.serial,
    label,
    sizeBytes: drive.sizeBytes,
    slot,
    contentHash: drive.contentHash,
    partitions: drive.partitions.map((partition) => partition.number),
    present: true,
  }));

/** @throws AppError with every issue at once; guid_conflict */
export async function prepareCreate(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parsePlan(raw);
  const secrets = request.secrets ?? [];
  const guid = request.poolGroupGuid ?? randomUUID();
  if (findPool(deps.db, guid))
    throw new AppError('guid_conflict', `A pool with the GUID ${guid} is there already.`);
  await readChosen(deps, request);

  const label = request.label.normalize('NFC');
  const { plugin, issues: pluginIssues } = findPlugin(deps, request.plugin);
  const { layout, issues: layoutIssues } = findLayout(plugin, request.layout);
  const { choices, issues: driveIssues } = chooseDrives(request, plugin, (name) => deps.drives.find(name));
  const options = plugin
    ? completeOptions(plugin, request.layout, request.options, secrets)
    : { options: {}, issues: [] };
  const badLabel = labelIssues(label);
  const mountPath = request.mountPath ?? defaultMountPath(deps.config.mountRoot, label, guid);
  const folder = await judgeMountPath({
    path: mountPath,
    mountRoot: deps.config.mountRoot,
    mounts: deps.host.mounts(),
    pools: listPools(deps.db),
  });
  const issues = [
    ...(badLabel.length > 0 ? badLabel : labelConflicts(deps, label)),
    ...pluginIssues,
    ...layoutIssues,
    ...countIssues(request.drives.length, layout),
    ...driveIssues,
    ...options.issues,
    // The default path follows from the label: what is wrong with it then has one cause and one message.
    ...(request.mountPath === undefined && badLabel.length > 0 ? [] : folder.issues),
  ];
  if (issues.length > 0 || !plugin) throw issuesError(issues);

  const spec: PoolSpec = {
    guid,
    label,
    layout: request.layout,
    options: options.options,
    mountPath,
    mountPathExisted: folder.existed,
    drives: slotsOf(choices),
    ...(secrets.length > 0 ? { facts: { secretsPath: secretsPath(deps.config, guid) } } : {}),
  };
  const erases = choices.flatMap(({ drive }) => erasureOf(drive) ?? []);
  return {
    input: toInput({ ...spec, plugin: plugin.id }),
    title: `Create pool "${label}"`,
    subject: { type: 'pool', id: guid, label },
    steps: keepMounted(deps.config, spec, plan(plugin, spec)),
    locks: locksOf(spec),
    drives: choices.map(({ drive }) => expectationOf(drive)),
    erases,
    confirmText: erases.length > 0 ? label : null,
    notes: folder.existed
      ? [`The folder ${mountPath} is there and empty; it stays when the pool is removed.`]
      : [],
  };
}
