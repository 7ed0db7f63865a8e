/** Network links of the host, as pages and scripts see them. */

/** bridge: a switch made of software. machine: the host's end of a machine's network card. */
export type LinkKind = 'bridge' | 'vlan' | 'ethernet' | 'machine' | 'virtual' | 'loopback';

/** `GET /api/v1/networks` */
export interface HostLink {
  /** Its name on the host, such as `eno1`. */
  id: string;
  kind: LinkKind;
  /** Lower case, with colons; null: it has none. */
  mac: string | null;
  /** Somebody switched it on; a cable may still be missing. */
  isUp: boolean;
  /** There is a cable with somebody at its end, or a port that works. */
  hasCarrier: boolean;
  /** With the length of the network, such as `192.168.1.5/24`; without those that hold on this link only (fe80::). */
  addresses: string[];
  /** The bridge that it is a port of. */
  bridge: string | null;
  /** Of a VLAN: its tag, and the link that carries it. */
  vlan: { tag: number; on: string } | null;
}

/** libvirt makes these for its NAT networks, and takes them away with them. */
export const isOfLibvirt = ({ id }: Pick<HostLink, 'id'>): boolean => /^virbr\d+$/.test(id);
