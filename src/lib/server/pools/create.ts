/** The two requests that need more than starting an operation: the same GUID twice, and removing what is being made. */
import { randomUUID } from 'node:crypto';
import { canonicalJson, type JsonObject } from '$lib/shared/json';
import type { Operation } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import { defaultMountPath } from '$lib/shared/names';
import { poolCreateRequest, requestIssues } from '$lib/shared/wire/requests';
import type { PlanPreview } from '$lib/shared/wire/operations';
import type { Config } from '../config';
import type { Drives } from '../drives/drive';
import { AppError, issuesError } from '../errors';
import type { Operations } from '../operations/types';
import type { Plugins } from '../plugins/registry';
import { REMOVE } from './operations';
import { CREATE, completeOptions } from './prepare-create';
import { dropSecrets, keepSecrets, withoutSecrets, type PoolCreatePlan, type PoolSecrets } from './secrets';
import type { Pools } from './pool';
import type { Pool } from '$lib/shared/wire/pools';

export interface PoolServices {
  pools: Pools;
  operations: Operations;
  plugins: Plugins;
  drives: Drives;
  config: Pick<Config, 'mountRoot' | 'dataDir'>;
}
export interface Asked {
  actor: Actor;
  confirmCode?: string | null;
}

const findPoolDocument = (services: PoolServices, guid: string): Pool | null =>
  services.pools.list().find((pool) => pool.guid === guid) ?? null;

/** Does the pool that is there follow from this request? Compared with every default filled in. */
function isSame(services: PoolServices, request: PoolCreatePlan, pool: Pool): boolean {
  const plugin = services.plugins.known(request.plugin);
  const label = request.label.normalize('NFC');
  const wanted = {
    label,
    plugin: request.plugin,
    layout: request.layout,
    options: plugin ? completeOptions(plugin, request.layout, request.options).options : request.options,
    mountPath: request.mountPath ?? defaultMountPath(services.config.mountRoot, label, pool.guid),
    drives: request.drives.map(
      (drive) => drive.id ?? services.drives.find(drive.serial ?? '')?.id ?? drive.serial,
    ),
  };
  const { plugin: pluginId, layout, options, mountPath, members } = pool;
  const there = {
    ...{ label: pool.label, plugin: pluginId, layout, options, mountPath },
    drives: members.map((member) => member.driveId),
  };
  return canonicalJson(wanted) === canonicalJson(there);
}

/** @returns the answer that was given before; null when nothing is there. @throws AppError guid_conflict */
function answered(
  services: PoolServices,
  request: PoolCreatePlan,
  guid: string,
): { poolGroupGuid: string; operation: Operation } | null {
  const pool = findPoolDocument(services, guid);
  if (!pool) return null;
  const operation = services.operations.latest(CREATE, guid);
  if (operation && isSame(services, request, pool)) return { poolGroupGuid: guid, operation };
  throw new AppError('guid_conflict', `The GUID ${guid} belongs to the pool "${pool.label}".`, {
    details: { poolGroupGuid: guid },
  });
}

/** @throws AppError invalid_input | unknown_field | option_invalid with all issues */
function parse(
  { plugins }: Pick<PoolServices, 'plugins'>,
  raw: unknown,
): { plan: PoolCreatePlan; secrets: PoolSecrets } {
  const parsed = poolCreateRequest.safeParse(raw);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  return withoutSecrets(plugins.known(parsed.data.plugin), parsed.data);
}
const asJson = (request: object): JsonObject => JSON.parse(JSON.stringify(request)) as JsonObject;

/** The plan of a request, and what confirms it; nothing is begun. @throws AppError every issue at once */
export const previewPool = async (
  services: Pick<PoolServices, 'operations' | 'plugins'>,
  raw: unknown,
): Promise<PlanPreview> => services.operations.preview(CREATE, asJson(parse(services, raw).plan));

/**
 * Begins to make a pool. Asked twice with the same GUID and content, it is the same pool and the same operation.
 * @throws AppError every issue at once; confirm_required | confirm_stale | guid_conflict | locked
 */
export async function createPool(
  services: PoolServices,
  raw: unknown,
  asked: Asked,
): Promise<{ poolGroupGuid: string; operation: Operation }> {
  const { plan: request, secrets } = parse(services, raw);
  const guid = request.poolGroupGuid ?? randomUUID();
  const before = answered(services, request, guid);
  if (before) return before;
  const complete = { ...request, poolGroupGuid: guid };
  await keepSecrets(services.config, guid, secrets);
  try {
    const operation = await services.operations.start({
      kind: CREATE,
      request: asJson(complete),
      actor: asked.actor,
      confirmCode: asked.confirmCode ?? null,
    });
    return { poolGroupGuid: guid, operation };
  } catch (error) {
    // The same request, sent twice at once: the other one was first by a moment.
    const first = error instanceof AppError ? answered(services, request, guid) : null;
    if (first) return first;
    if (!findPoolDocument(services, guid)) dropSecrets(services.config, guid);
    throw error;
  }
}

/** Begins to remove a pool; one that is still being made is removed by cancelling that. */
export async function removePool(
  services: Pick<PoolServices, 'pools' | 'operations'>,
  guid: string,
  asked: Asked,
): Promise<Operation> {
  const pool = services.pools.get(guid);
  const creating = pool.state === 'creating' ? services.operations.latest(CREATE, pool.guid) : null;
  if (creating?.canCancel) return services.operations.cancel(creating.id, asked.actor);
  return services.operations.start({
    kind: REMOVE,
    request: { poolGroupGuid: pool.guid },
    actor: asked.actor,
    confirmCode: asked.confirmCode ?? null,
  });
}
