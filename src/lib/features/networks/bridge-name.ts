/** What a bridge is called when nobody says. Pure. */
import type { HostLink } from '$lib/shared/wire/networks';

/** `br0`, or the first number that is free; of a VLAN its tag, if that is free. */
export function freeBridgeName(links: Iterable<HostLink>, vlan: number | null): string {
  const taken = new Set([...links].map(({ id }) => id));
  if (vlan !== null && !taken.has(`br${vlan}`)) return `br${vlan}`;
  for (let number = 0; ; number += 1) if (!taken.has(`br${number}`)) return `br${number}`;
}
