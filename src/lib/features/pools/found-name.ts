import type { FoundPool } from '$lib/shared/wire/found';

/** What it calls itself; without a label what it is. */
export const foundName = (found: FoundPool): string => found.label || found.description;
