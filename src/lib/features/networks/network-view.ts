/** The networks of the host as a picture: each with its ports, and the machines that are plugged in. Pure. */
import { naturally } from '$lib/shared/natural-order';
import { isOfLibvirt, type HostLink } from '$lib/shared/wire/networks';
import type { Vm, VmCardView } from '$lib/shared/wire/vms';

export interface PluggedIn {
  vm: Vm;
  card: VmCardView;
}
export interface NetworkView {
  id: string;
  /** nat: shared with the host by the engine of the machines. gone: machines name a bridge that is not there. */
  kind: 'bridge' | 'nat' | 'gone';
  /** null: it is not there now. */
  link: HostLink | null;
  /** Without those of machines. */
  ports: HostLink[];
  machines: PluggedIn[];
}

/** Bridges first, then NAT, then what is missing. */
export function networkViews(links: Iterable<HostLink>, vms: Iterable<Vm>): NetworkView[] {
  const all = [...links].toSorted((a, b) => naturally(a.id, b.id));
  const plugged = [...vms]
    .toSorted((a, b) => naturally(a.name, b.name))
    .flatMap((vm) => vm.cards.map((card) => ({ vm, card })));
  const on = (bridge: string | null): PluggedIn[] => plugged.filter(({ card }) => card.bridge === bridge);
  const portsOf = (bridge: string): HostLink[] =>
    all.filter((link) => link.bridge === bridge && link.kind !== 'machine');
  const bridges = all.filter((link) => link.kind === 'bridge' && !isOfLibvirt(link));
  const nat = all.filter((link) => link.kind === 'bridge' && isOfLibvirt(link));
  const there = new Set(all.filter(({ kind }) => kind === 'bridge').map(({ id }) => id));
  const missing = new Set(
    plugged.flatMap(({ card }) => (card.bridge !== null && !there.has(card.bridge) ? [card.bridge] : [])),
  );
  const [firstNat = null, ...otherNat] = nat;
  return [
    ...bridges.map((link): NetworkView => ({
      ...{ id: link.id, kind: 'bridge', link, ports: portsOf(link.id), machines: on(link.id) },
    })),
    { id: firstNat?.id ?? 'nat', kind: 'nat', link: firstNat, ports: [], machines: on(null) },
    ...otherNat.map((link): NetworkView => ({
      ...{ id: link.id, kind: 'nat', link, ports: [], machines: on(link.id) },
    })),
    ...[...missing].map((id): NetworkView => ({
      ...{ id, kind: 'gone', link: null, ports: [], machines: on(id) },
    })),
  ];
}

/** Cards and VLANs of the host that are no port of a bridge. */
export const freeLinks = (links: Iterable<HostLink>): HostLink[] =>
  [...links]
    .filter(({ kind, bridge }) => bridge === null && (kind === 'ethernet' || kind === 'vlan'))
    .toSorted((a, b) => naturally(a.id, b.id));

export function stateText({ isUp, hasCarrier, kind }: HostLink): string {
  if (!isUp) return 'switched off';
  if (hasCarrier) return 'up';
  return kind === 'bridge' ? 'up, nobody is plugged in' : 'no cable';
}
