import { getHandle } from '$lib/server/handle';
import type { LayoutServerLoad } from './$types';

/** What the first paint needs: who asks, and for somebody who may look, the documents of every page. */
export const load: LayoutServerLoad = ({ locals }) => {
  const { auth, config, version, feed } = getHandle();
  return {
    actor: locals.actor,
    setupNeeded: auth.setupNeeded(),
    sandbox: config.sandbox,
    hostname: config.hostname,
    version,
    feed: locals.actor ? feed.snapshot() : null,
  };
};
