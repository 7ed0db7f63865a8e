/** Which bridges the host can have, and what it says of others. */
import { existsSync } from 'node:fs';
import type { Issue } from '$lib/shared/error-codes';
import { type BridgeRequest } from '$lib/shared/wire/network-changes';
import { BRIDGE_NAME, VLAN_MAX, VLAN_MIN } from '$lib/shared/bridge-names';
import { isOfLibvirt, type HostLink } from '$lib/shared/wire/networks';
import { issue } from '../errors';
import { moduleState } from '../host/kernel-modules';
import { vlanName } from './interfaces-file';

function nameIssues(name: string, links: HostLink[]): Issue[] {
  if (!BRIDGE_NAME.test(name) || isOfLibvirt({ id: name }))
    return [issue('bridge_name_invalid', `A bridge cannot be called "${name}".`, 'name')];
  return links.some(({ id }) => id === name)
    ? [issue('link_name_taken', `The host has a link ${name} already.`, 'name')]
    : [];
}

function vlanIssues({ port, vlan }: BridgeRequest, links: HostLink[]): Issue[] {
  if (vlan === null) return [];
  if (port === null)
    return [issue('vlan_invalid', `Without a network card there is no VLAN ${vlan}.`, 'vlan')];
  if (!Number.isInteger(vlan) || vlan < VLAN_MIN || vlan > VLAN_MAX)
    return [issue('vlan_invalid', `There is no VLAN ${vlan}.`, 'vlan')];
  // Loaded by the kernel itself when the first one is made.
  if (moduleState('8021q') === 'absent')
    return [issue('vlan_unsupported', 'The kernel that runs has no module 8021q.', 'vlan')];
  const other = links.find((link) => link.vlan?.tag === vlan && link.vlan.on === port);
  const name = vlanName({ id: port, mac: null, vlan }) ?? '';
  if (other) return [issue('link_name_taken', `${other.id} is VLAN ${vlan} of ${port} already.`, 'vlan')];
  return links.some(({ id }) => id === name)
    ? [issue('link_name_taken', `The host has a link ${name} already.`, 'vlan')]
    : [];
}

const isWireless = (link: string): boolean => existsSync(`/sys/class/net/${link}/wireless`);
function portIssues({ port, vlan }: BridgeRequest, links: HostLink[]): Issue[] {
  if (port === null) return [];
  const link = links.find(({ id }) => id === port);
  if (!link) return [issue('link_not_found', `The host has no network card ${port}.`, 'port')];
  if (link.kind !== 'ethernet' && !(link.kind === 'vlan' && vlan === null))
    return [issue('link_unusable', `${port} is no network card.`, 'port')];
  if (link.bridge !== null)
    return [issue('link_unusable', `${port} is a port of ${link.bridge} already.`, 'port')];
  return isWireless(port)
    ? [
        issue(
          'link_unusable',
          `${port} is wireless: its access point takes no packets of other machines.`,
          'port',
        ),
      ]
    : [];
}

export const bridgeIssues = (request: BridgeRequest, links: HostLink[]): Issue[] => [
  ...nameIssues(request.name, links),
  ...portIssues(request, links),
  ...vlanIssues(request, links),
];
