import { redirect } from '@sveltejs/kit';
import type { LayoutLoad } from './$types';

/** Who may see which page: the account comes first, then the sign-in, then everything else. */
export const load: LayoutLoad = ({ data, url }) => {
  const path = url.pathname;
  if (data.setupNeeded) {
    if (path !== '/setup') redirect(303, '/setup');
  } else if (!data.actor) {
    if (path !== '/login')
      redirect(303, path === '/' ? '/login' : `/login?next=${encodeURIComponent(path + url.search)}`);
  } else if (path === '/login' || path === '/setup') redirect(303, '/');
  return data;
};
