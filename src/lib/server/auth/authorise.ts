import type { Area } from '$lib/shared/scopes';
import { roleAllows, type Role } from '$lib/shared/states';
import type { Actor } from '$lib/shared/wire/session';
import { AppError } from '../errors';

/** Looks: nothing changes. Plans: it shows what would change. Acts: the rest. */
export type CallKind = 'looks' | 'plans' | 'acts';

/** The area of a call by the first word of its name: a router of tRPC, or what follows /api/v1/. */
const AREA_OF: Record<string, Area | 'proposals'> = {
  ...{ drives: 'storage', pools: 'storage', found: 'storage', 'found-pools': 'storage' },
  ...{ replacements: 'storage', snapshots: 'storage' },
  ...{ images: 'images', catalog: 'images', uploads: 'images' },
  ...{ vms: 'machines', vmSnapshots: 'machines', removedVms: 'machines', 'found-vms': 'machines' },
  ...{ 'removed-vms': 'machines', networks: 'networks' },
  ...{ alerts: 'alerts', notifications: 'alerts', channels: 'alerts', operations: 'operations' },
  ...{
    users: 'access',
    apiKeys: 'access',
    session: 'access',
    secondFactor: 'access',
    audit: 'access',
    plugins: 'operations',
  },
  ...{ 'support-bundle': 'access', configuration: 'access', 'configuration-copies': 'access' },
  ...{ certificate: 'access', boots: 'operations', doctor: 'operations', updates: 'operations' },
  ...{ system: 'operations', feed: 'operations', proposals: 'proposals', 'openapi.json': 'operations' },
};
/** @param name `pools.create` or `/api/v1/pools/[guid]` */
export const areaOf = (name: string): Area | 'proposals' | undefined =>
  AREA_OF[/^\/api\/v1\/([^/]+)/.exec(name)?.[1] ?? name.split('.')[0] ?? ''];

function requireScope({ scopes, name: key }: Actor, name: string, kind: CallKind): void {
  if (!scopes) return;
  const area = areaOf(name);
  const has = (scope: string): boolean => (scopes as string[]).includes(scope);
  if (area === undefined) throw new AppError('scope_missing', `No scope of the key ${key} covers this.`);
  if (area === 'proposals' ? has('plan') : has(area)) {
    if (kind === 'acts' && has('plan') && !/^proposals\.propose$|^\/api\/v1\/proposals$/.test(name))
      throw new AppError('plan_only', `The key ${key} may plan this, and propose it.`);
    return;
  }
  if (kind === 'looks' && has('read') && area !== 'access') return;
  if (kind === 'plans' && has('plan')) return;
  if (kind === 'acts' && has('plan'))
    throw new AppError('plan_only', `The key ${key} may plan this, and propose it.`);
  const needed = kind === 'looks' && area !== 'access' ? 'read' : area === 'proposals' ? 'plan' : area;
  throw new AppError('scope_missing', `The key ${key} does not have the scope "${needed}".`, {
    details: { needed, scopes },
  });
}

/** @throws AppError forbidden */
export function requireRole(needed: Role, { role }: Actor): void {
  if (!roleAllows(role, needed))
    throw new AppError('forbidden', `This needs the role ${needed}; you are ${role}.`, {
      details: { needed, role },
    });
}

/**
 * The one decision about who may do what, for tRPC and REST. No declared role means nobody.
 * @throws AppError unauthenticated | forbidden | scope_missing | plan_only
 */
export function authorise(
  needed: Role | 'anonymous' | undefined,
  actor: Actor | null,
  name: string,
  kind: CallKind,
): void {
  if (needed === 'anonymous') return;
  if (!actor) throw new AppError('unauthenticated', 'Sign in to do this.');
  if (needed === undefined)
    throw new AppError('forbidden', 'This procedure declares no role, so nobody may call it.');
  requireRole(needed, actor);
  requireScope(actor, name, kind);
}
