import { trpc } from '$lib/client/trpc';
import { attempt } from './attempt';

export async function signOut(): Promise<void> {
  const done = await attempt(() => trpc().session.logout.mutate());
  if (done) location.assign('/login');
}

/** The session has ended, here or elsewhere: back to the door, and from there to this page again. */
export function toLogin(): void {
  const next = location.pathname + location.search;
  location.assign(`/login?ended=1&next=${encodeURIComponent(next)}`);
}
