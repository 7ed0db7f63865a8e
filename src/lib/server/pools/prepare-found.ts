/** From a request about a found pool to its plan: looking inside, and taking it into the records. Nothing is changed. */
import { adoptIdentity } from '$lib/plugin-api/found-steps';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import type { PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { Issue } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';
import { isBelow, labelIssues, mountPathIssues } from '$lib/shared/names';
import type { Drive } from '$lib/shared/wire/drives';
import type { FoundPool as FoundDocument } from '$lib/shared/wire/found';
import { adoptRequest, foundRequest, requestIssues } from '$lib/shared/wire/requests';
import { expectationOf } from '../drives/erasure';
import { AppError, issue, issuesError } from '../errors';
import type { Prepared } from '../operations/types';
import { checkPlan } from '../plugins/plan-check';
import { pluginError } from '../plugins/plugin-error';
import type { PoolDeps } from './deps';
import type { FoundPools } from './found';
import { identityOf, insidePath, peekPath } from './inside';
import { keepMounted } from './keep-mounted';
import { judgeMountPath } from './mount-path';
import { completeOptions } from './prepare-create';
import { locksOf, toInput } from './spec';
import { findByLabel, listPools } from './store';
import type { Config } from '../config';

export interface FoundOperationDeps extends Omit<PoolDeps, 'config'> {
  config: Pick<Config, 'mountRoot' | 'dataDir'> & Partial<Pick<Config, 'sandbox'>>;
  found: FoundPools;
}
interface Subject {
  document: FoundDocument;
  plugin: StoragePlugin;
  drives: Drive[];
  spec: PoolSpec;
}

/** Read now: somebody may have mounted, changed or unplugged it since it was listed. */
async function subjectOf(deps: FoundOperationDeps, id: string, verb: 'adopt' | 'peek'): Promise<Subject> {
  await deps.found.refresh();
  const document = deps.found.get(id);
  const { found } = deps.found.candidate(id);
  const { allowed, why } = document.verbs[verb];
  if (!allowed)
    throw new AppError(document.operationId ? 'locked' : 'found_obstacle', why ?? 'It cannot be done now.');
  const drives = found.members.flatMap(({ driveId }) => deps.drives.find(driveId) ?? []);
  const spec: PoolSpec = {
    guid: found.guid,
    label: document.suggested.label,
    layout: found.layout ?? '',
    options: found.options,
    facts: found.facts,
    mountPath: document.suggested.mountPath,
    mountPathExisted: false,
    drives: [
      ...found.members.map(({ driveId, slot, role }) => {
        const drive = drives.find((one) => one.id === driveId);
        return {
          id: driveId,
          serial: drive?.serial ?? null,
          label: document.members.find((member) => member.driveId === driveId)?.label ?? '',
          sizeBytes: drive?.sizeBytes ?? 0,
          slot,
          contentHash: drive?.contentHash ?? 'unread',
          partitions: drive?.partitions.map((partition) => partition.number) ?? [],
          present: true,
          role,
        };
      }),
      ...found.missing.map(({ slot, text }) => ({
        ...{ id: `missing-${found.guid}-${slot}`, serial: null, label: text, sizeBytes: 0, slot },
        ...{ contentHash: 'unread', partitions: [], present: false },
      })),
    ],
  };
  return { document, plugin: deps.plugins.storage(document.plugin), drives, spec };
}

function planned<T>(plugin: StoragePlugin, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw pluginError(plugin.id, error);
  }
}

function listStep(folder: string, into: string): Step {
  return {
    name: 'list-files',
    title: 'Note what is in its first folder, and its identity file',
    run: { do: 'list-folder', path: folder, into },
    undo: [{ do: 'remove-file', path: into }],
    look: looks.fileThere(into),
  };
}

function peekSteps(plugin: StoragePlugin, spec: PoolSpec, into: string): Step[] {
  const path = spec.mountPath;
  const plan = planned(plugin, () => plugin.peek?.(spec) ?? { open: [], close: [] });
  const checked = (steps: Step[]): Step[] => planned(plugin, () => checkPlan(plugin, spec, steps));
  return [
    {
      name: 'make-folder',
      title: 'Make a folder that only root may enter',
      run: { do: 'make-directory', path, mode: 0o700 },
      undo: [{ do: 'remove-directory', path }],
      look: looks.directory(path),
    },
    ...checked(plan.open),
    listStep(path, into),
    ...checked(plan.close),
    {
      name: 'remove-folder',
      title: 'Remove the folder again',
      run: { do: 'remove-directory', path },
      undo: 'nothing',
      look: not(looks.directory(path)),
    },
  ];
}

/** @throws AppError found_not_found | found_obstacle | locked */
export async function preparePeek(deps: FoundOperationDeps, raw: JsonObject): Promise<Prepared> {
  const parsed = foundRequest.safeParse(raw);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const { document, plugin, drives, spec: found } = await subjectOf(deps, parsed.data.found, 'peek');
  const into = insidePath(deps.config, document.guid);
  const spec = { ...found, mountPath: peekPath(deps.config, document.guid) };
  const forget: Step = {
    name: 'forget-former-list',
    title: 'Forget what was noted before',
    run: { do: 'remove-file', path: into },
    undo: 'nothing',
    look: not(looks.fileThere(into)),
  };
  return {
    input: toInput({ ...spec, plugin: plugin.id, found: document.id }),
    title: `Look inside ${document.label === '' ? document.description : `"${document.label}"`}`,
    subject: { type: 'pool', id: spec.guid, label: document.label },
    steps: [
      forget,
      ...(document.mountedAt === null ? peekSteps(plugin, spec, into) : [listStep(document.mountedAt, into)]),
    ],
    locks: locksOf(spec),
    drives: drives.map(expectationOf),
    erases: [],
    confirmText: null,
    notes: ['Nothing is written to its drives.'],
  };
}

/** Mounted already: then it stays where it is. */
async function judgePath(
  deps: FoundOperationDeps,
  document: FoundDocument,
  path: string,
): Promise<{ existed: boolean; issues: Issue[] }> {
  const { mountedAt } = document;
  const { mountRoot } = deps.config;
  const pools = listPools(deps.db);
  if (mountedAt === null) return judgeMountPath({ path, mountRoot, mounts: deps.host.mounts(), pools });
  if (path !== mountedAt)
    return {
      existed: true,
      issues: [
        issue(
          'mount_path_in_use',
          `It is mounted at ${mountedAt} now.`,
          'mountPath',
          'Adopt it there, or unmount it first.',
        ),
      ],
    };
  const other = pools.find((pool) => isBelow(path, pool.mountPath) || isBelow(pool.mountPath, path));
  const nested = other
    ? [
        issue(
          'mount_path_invalid',
          `${path} and ${other.mountPath} of the pool "${other.label}" lie in each other.`,
          'mountPath',
        ),
      ]
    : [];
  return { existed: true, issues: [...mountPathIssues(path, mountRoot), ...nested] };
}

function judgeLabel(deps: FoundOperationDeps, label: string): Issue[] {
  const issues = labelIssues(label);
  const other = findByLabel(deps.db, label);
  if (issues.length > 0 || !other) return issues;
  return [issue('label_duplicate', `Another pool is called "${other.label}".`, 'label')];
}

/** @throws AppError with every issue at once; found_not_found | found_obstacle | found_unseen | locked */
export async function prepareAdopt(deps: FoundOperationDeps, raw: JsonObject): Promise<Prepared> {
  const parsed = adoptRequest.safeParse(raw);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const request = parsed.data;
  const { document, plugin, drives, spec: found } = await subjectOf(deps, request.found, 'adopt');
  const elsewhere = found.drives.length === 0;
  const inside = deps.found.inside(document.guid);
  if (!inside && !elsewhere)
    throw new AppError('found_unseen', `Nobody has looked into ${document.description} yet.`);
  const identity = identityOf(inside, document.guid);
  const label = (request.label ?? document.suggested.label).normalize('NFC');
  const mountPath = request.mountPath ?? document.suggested.mountPath;
  const folder = await judgePath(deps, document, mountPath);
  const known = Object.entries(identity?.options ?? {}).filter(([name]) => name in plugin.options);
  // What the drives show is so; what only the pool itself can know comes from its identity file.
  const options = completeOptions(plugin, found.layout, { ...Object.fromEntries(known), ...found.options });
  const issues = [...judgeLabel(deps, label), ...folder.issues, ...options.issues];
  if (issues.length > 0) throw issuesError(issues);
  const spec: PoolSpec = {
    ...found,
    ...{ label, mountPath, options: options.options, mountPathExisted: folder.existed },
  };
  const { mount } = plugin;
  if (!mount) throw new AppError('not_supported', `${plugin.name} pools cannot be mounted by themselves.`);
  const mounting = planned(plugin, () => checkPlan(plugin, spec, mount.call(plugin, spec)));
  return {
    input: toInput({ ...spec, plugin: plugin.id, found: document.id }),
    title: `Adopt pool "${label}"`,
    subject: { type: 'pool', id: spec.guid, label },
    steps: keepMounted(deps.config, spec, [
      ...mounting,
      // Nothing is written to another machine: there it may be the pool of several.
      ...(inside && !elsewhere
        ? adoptIdentity(plugin.id, spec, { before: inside.identity, folderThere: inside.identityFolder })
        : []),
    ]),
    locks: locksOf(spec),
    drives: drives.map(expectationOf),
    erases: [],
    confirmText: null,
    notes: [
      elsewhere
        ? 'No file of it is changed. It stays mounted as it is; from the next time on with the options of Cairn.'
        : 'No file of it is changed; only the small folder .cairn is written, so that the pool is recognised again.',
      ...(folder.existed && document.mountedAt === null
        ? [`The folder ${mountPath} is there and empty; it stays when the pool is removed.`]
        : []),
    ],
  };
}
