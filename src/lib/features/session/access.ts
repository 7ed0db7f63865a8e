/** Who is here and what they may do now. */
import { createContext } from 'svelte';
import { roleAllows, type Role } from '$lib/shared/states';
import type { Actor } from '$lib/shared/wire/session';
import type { Live } from '$lib/client/live.svelte';

export class Access {
  readonly #live: Live;
  readonly #actor: () => Actor | null;
  constructor(live: Live, actor: () => Actor | null) {
    this.#live = live;
    this.#actor = actor;
  }
  get actor(): Actor | null {
    return this.#actor();
  }
  /** Why a change cannot be made now, and what would enable it; null: it can. */
  why(needed: Role): string | null {
    const actor = this.#actor();
    if (!actor) return 'You are not signed in. Sign in to do this.';
    if (!roleAllows(actor.role, needed))
      return `This needs the role ${needed}; you are ${actor.role}. An administrator can raise your role.`;
    if (this.#live.isStale)
      return 'The page is not live, so it may show an old state. It works again once the connection is back.';
    return null;
  }
}

export const [getAccess, setAccess] = createContext<Access>();
