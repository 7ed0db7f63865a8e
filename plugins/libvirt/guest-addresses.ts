/**
 * Addresses that the agent inside a guest tells, from `virsh domifaddr --source agent`: a line
 * ` eth0  52:54:00:0b:6c:2c  ipv4  192.168.1.20/24` for each, `-` for a name and MAC that are those of the line above, and
 * `N/A` for a link without an address (tools/virsh-domain-monitor.c of libvirt). It waits for the guest.
 */
import { isIP } from 'node:net';
import type { PluginContext, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { macOf } from './domain-xml';
import { virsh, VIRSH } from './virsh';

/** libvirt itself gives up on an agent after five seconds. */
const TIMEOUT_MS = 8_000;
const LINE = /^\s*(\S+)\s+(\S+)\s+(ipv4|ipv6|N\/A)\s+(\S+)\s*$/;
/** Held on one link only, and no help to anybody who wants to get there. */
const LINK_LOCAL = /^(?:169\.254\.|fe[89ab][0-9a-f]:)/i;

/** @param macs of the machine's own cards: what it has made inside (containers, VPNs) is not of interest. @throws Error for any other line */
export function parseGuestAddresses(text: string, macs: string[]): string[] {
  let mac = '';
  const all: string[] = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [, name, said = '', protocol, place = ''] = LINE.exec(line) ?? [];
    if (name === undefined) throw new Error(`the line ${JSON.stringify(line)}`);
    if (name !== '-') mac = said.toLowerCase();
    if (protocol === 'N/A') continue;
    const address = place.split('/')[0] ?? '';
    if (isIP(address) === 0) throw new Error(`the line ${JSON.stringify(line)}`);
    // A guest may say what it likes: one card can have many addresses, and nobody needs more than these.
    if (macs.includes(mac) && !LINK_LOCAL.test(address) && !all.includes(address) && all.length < 16)
      all.push(address);
  }
  return all;
}

/** `event 'agent-lifecycle' for domain 'web': state: 'connected' reason: 'channel event'` */
const AGENT = /^event 'agent-lifecycle' for domain '(.+)': state: 'connected'/;
export const guestHeard = (line: string): string | null => AGENT.exec(line)?.[1] ?? null;

export const guestAddressesOf = (sdk: PluginSdk) => ({
  heard: guestHeard,
  async read(context: PluginContext, spec: VmSpec): Promise<string[] | null> {
    const { stdout, exitCode } = await context.read(
      VIRSH,
      virsh('domifaddr', spec.id, '--source', 'agent', '--full'),
      { timeoutMs: TIMEOUT_MS, okExitCodes: [0, 1] },
    );
    // 1: no agent has connected, or it did not answer in time. Either way there is nothing to be told.
    if (exitCode !== 0) return null;
    const macs = spec.cards?.map(({ mac }) => mac) ?? [macOf(sdk, spec.id, 1)];
    return sdk.defineParser('virsh domifaddr', (text) => parseGuestAddresses(text, macs))(stdout);
  },
});
