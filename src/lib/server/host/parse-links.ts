/** `ip -json -details address show` (ip-address(8)): the network links of the host. Pure. */
import { naturally } from '$lib/shared/natural-order';
import { z } from 'zod';
import type { HostLink, LinkKind } from '$lib/shared/wire/networks';

const link = z.object({
  ifname: z.string(),
  /** The link that it is made on, or whose other end it is. */
  link: z.string().nullish(),
  master: z.string().optional(),
  link_type: z.string(),
  address: z.string().optional(),
  flags: z.array(z.string()),
  linkinfo: z
    .object({
      info_kind: z.string().optional(),
      info_data: z.object({ id: z.number().optional() }).optional(),
    })
    .optional(),
  addr_info: z
    .array(z.object({ local: z.string().optional(), prefixlen: z.number(), scope: z.string() }))
    .default([]),
});
// Some versions print an empty object for what they leave out.
const answer = z.array(z.union([link, z.strictObject({})]));

const KINDS: Record<string, LinkKind> = { bridge: 'bridge', vlan: 'vlan', tun: 'machine' };

function kindOf({ link_type, linkinfo, ifname }: z.infer<typeof link>): LinkKind {
  if (link_type === 'loopback') return 'loopback';
  const kind = linkinfo?.info_kind;
  if (kind === undefined) return link_type === 'ether' ? 'ethernet' : 'virtual';
  // A tunnel of somebody else's is made in the same way: libvirt names its own.
  if (kind === 'tun') return /^(vnet|macvtap)\d+$/.test(ifname) ? 'machine' : 'virtual';
  // The end of a pair leads to another namespace: to a container, as a cable would.
  return KINDS[kind] ?? (kind === 'veth' || kind === 'bond' ? 'ethernet' : 'virtual');
}

const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** In natural order of their names. @throws Error for what is no such answer */
export function parseLinks(text: string): HostLink[] {
  return answer
    .parse(JSON.parse(text))
    .filter((one): one is z.infer<typeof link> => 'ifname' in one)
    .map((one): HostLink => {
      const kind = kindOf(one);
      const tag = one.linkinfo?.info_data?.id;
      return {
        ...{ id: one.ifname, kind, bridge: one.master ?? null },
        mac: one.address !== undefined && MAC.test(one.address) ? one.address : null,
        isUp: one.flags.includes('UP'),
        hasCarrier: one.flags.includes('LOWER_UP') && !one.flags.includes('NO-CARRIER'),
        addresses: one.addr_info.flatMap(({ local, prefixlen, scope }) =>
          local === undefined || scope === 'link' ? [] : [`${local}/${prefixlen}`],
        ),
        vlan: kind === 'vlan' && tag !== undefined && one.link ? { tag, on: one.link } : null,
      };
    })
    .toSorted((a, b) => naturally(a.id, b.id));
}
