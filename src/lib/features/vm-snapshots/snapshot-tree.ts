/** Snapshots in the order of their tree. Pure. */
import type { VmSnapshot } from '$lib/shared/wire/vm-snapshots';

export interface TreeRow {
  snapshot: VmSnapshot;
  /** How many branches it lies within: what only goes on is on the line of what it goes on from. */
  depth: number;
  /** What it was made upon, where that is not the row above; null: it is, or it was made upon none. */
  upon: string | null;
}

/** Each below the one that it was made upon, the oldest first. */
export function treeOf(snapshots: VmSnapshot[]): TreeRow[] {
  const names = new Set(snapshots.map(({ name }) => name));
  const below = (parent: string | null): VmSnapshot[] =>
    snapshots
      .filter((one) => (one.parent !== null && names.has(one.parent) ? one.parent : null) === parent)
      .toSorted((a, b) => a.createdAt - b.createdAt);
  const rows: TreeRow[] = [];
  const seen = new Set<string>();
  const add = (snapshot: VmSnapshot, depth: number, parent: string | null): void => {
    if (seen.has(snapshot.name)) return;
    seen.add(snapshot.name);
    const above = rows.at(-1)?.snapshot.name ?? null;
    rows.push({ snapshot, depth, upon: parent === above ? null : parent });
    const children = below(snapshot.name);
    for (const child of children) add(child, children.length > 1 ? depth + 1 : depth, snapshot.name);
  };
  for (const root of below(null)) add(root, 0, null);
  return rows;
}
