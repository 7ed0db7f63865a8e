/** Where a network card can be plugged in, as choices of a form. */
import { isOfLibvirt, type HostLink } from '$lib/shared/wire/networks';

/** Of the network that machines share with the host: no bridge has an empty name. */
export const NAT = '';

/** @param links of the host @param now the bridge that a card is plugged into, which may be gone */
export function networkChoices(
  links: Iterable<HostLink>,
  now: string | null = null,
): { value: string; label: string }[] {
  const all = [...links];
  const bridges = all.filter((link) => link.kind === 'bridge' && !isOfLibvirt(link));
  const portsOf = (bridge: string): string[] =>
    all.filter((link) => link.bridge === bridge && link.kind !== 'machine').map(({ id }) => id);
  return [
    { value: NAT, label: 'NAT: shares the address of the host' },
    ...bridges.map(({ id, addresses }) => {
      const more = [portsOf(id).join(', '), addresses[0] ?? ''].filter(Boolean).join(', ');
      return { value: id, label: `Bridge ${id}${more ? ` (${more})` : ''}` };
    }),
    ...(now !== null && bridges.every(({ id }) => id !== now)
      ? [{ value: now, label: `Bridge ${now} (not there now)` }]
      : []),
  ];
}
