import { createReleases, type ReleaseParts, type Releases } from './releases';
import { createUpdates, type Updates } from './updates';

/** Looking for a newer version, and taking it in use. */
export function composeUpdates(parts: Parameters<typeof createUpdates>[0] & Omit<ReleaseParts, 'updates'>): {
  updates: Updates;
  releases: Releases;
} {
  const updates = createUpdates(parts);
  return { updates, releases: createReleases({ ...parts, updates }) };
}
