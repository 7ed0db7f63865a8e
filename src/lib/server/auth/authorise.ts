import { roleAllows, type Role } from '$lib/shared/states';
import type { Actor } from '$lib/shared/wire/session';
import { AppError } from '../errors';

/**
 * The one decision about who may do what, for tRPC and REST. No declared role means nobody.
 * @throws AppError unauthenticated | forbidden
 */
export function authorise(needed: Role | 'anonymous' | undefined, actor: Actor | null): void {
  if (needed === 'anonymous') return;
  if (!actor) throw new AppError('unauthenticated', 'Sign in to do this.');
  if (needed === undefined)
    throw new AppError('forbidden', 'This procedure declares no role, so nobody may call it.');
  if (!roleAllows(actor.role, needed))
    throw new AppError('forbidden', `This needs the role ${needed}; you are ${actor.role}.`, {
      details: { needed, role: actor.role },
    });
}
