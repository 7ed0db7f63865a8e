import type { Live } from '$lib/client/live.svelte';
import type { Pool } from '$lib/shared/wire/pools';

/** Pools that can hold a new file, the one with the most room first. */
export const poolsForImages = (live: Live): Pool[] =>
  [...live.pools.values()]
    .filter((pool) => pool.mounted && pool.state === 'ready')
    .toSorted((a, b) => (b.availableBytes ?? 0) - (a.availableBytes ?? 0));
