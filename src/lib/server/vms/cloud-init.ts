/** The files of a NoCloud seed (cloud-init, datasources/nocloud). YAML is written by a serialiser, whatever is in the values. Pure. */
import { parse, stringify } from 'yaml';
import type { IpWish } from '$lib/shared/ip-rules';

/**
 * cloud-init reads YAML 1.1, in which 52:54:00:12:34:56 and 12:30 are numbers and `on` is true: names are quoted where that
 * version needs it, and texts always.
 */
const yaml = (content: unknown): string =>
  stringify(content, {
    lineWidth: 0,
    version: '1.1',
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
  });
const cloudConfig = (content: unknown): string => `#cloud-config\n${yaml(content)}`;

/** A filesystem by its label, and where the guest has it. */
export interface Mount {
  label: string;
  path: string;
}

export interface Login {
  user: string;
  sshKeys: string[];
  hasPassword: boolean;
  packages: string[];
  mounts?: Mount[];
  /** Names and values beside those that are written here. */
  more: Record<string, unknown>;
}

export const userData = (name: string, login: Login): string =>
  cloudConfig({
    hostname: name,
    users: [
      {
        name: login.user,
        shell: '/bin/bash',
        sudo: 'ALL=(ALL) NOPASSWD:ALL',
        lock_passwd: !login.hasPassword,
        ...(login.sshKeys.length > 0 ? { ssh_authorized_keys: login.sshKeys } : {}),
      },
    ],
    ssh_pwauth: login.hasPassword,
    // The lists of what there is may be months old.
    ...(login.packages.length > 0 ? { package_update: true, packages: login.packages } : {}),
    // Without it the guest starts all the same.
    ...(login.mounts && login.mounts.length > 0
      ? {
          mounts: login.mounts.map(({ label, path }) => [
            ...[`LABEL=${label}`, path, 'auto', 'defaults,nofail', '0', '2'],
          ]),
        }
      : {}),
    ...login.more,
  });

/** The same for another machine: it has what the first one's has, under its own name. @throws Error for what is no cloud-config */
export function renamedUserData(text: string, name: string): string {
  const content: unknown = parse(text);
  if (!text.startsWith('#cloud-config\n') || typeof content !== 'object' || content === null)
    throw new Error('it is no cloud-config');
  return cloudConfig({ ...content, hostname: name });
}

export const metaData = (id: string, name: string): string =>
  yaml({ 'instance-id': id, 'local-hostname': name });

/** Merged with the user data by cloud-init; only this one has something to keep secret. */
export const vendorData = (user: string, passwordHash: string): string =>
  cloudConfig({
    chpasswd: { expire: false, users: [{ name: user, password: passwordHash, type: 'hash' }] },
  });

export interface CardNetwork extends IpWish {
  slot: number;
  mac: string;
}

/** Of what a card does not say DHCP tells. */
function ethernet({ mac, slot, addresses, gateways, dns, search }: CardNetwork): Record<string, unknown> {
  return {
    match: { macaddress: mac },
    // Renderers that know nothing of matching go by the name.
    'set-name': `eth${slot - 1}`,
    ...(addresses.length === 0 ? { dhcp4: true, dhcp6: true } : { dhcp4: false, dhcp6: false, addresses }),
    ...(gateways.length === 0
      ? {}
      : { routes: gateways.map((via) => ({ to: via.includes(':') ? '::/0' : '0.0.0.0/0', via })) }),
    ...(dns.length + search.length === 0
      ? {}
      : {
          nameservers: {
            ...(dns.length === 0 ? {} : { addresses: dns }),
            ...(search.length === 0 ? {} : { search }),
          },
        }),
  };
}

/** Version 2 (cloud-init, network-config-format-v2), every card by its address. */
export const networkConfig = (cards: CardNetwork[]): string =>
  yaml({
    version: 2,
    ethernets: Object.fromEntries(cards.map((card) => [`eth${card.slot - 1}`, ethernet(card)])),
  });
