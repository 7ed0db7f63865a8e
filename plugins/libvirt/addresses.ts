/**
 * Addresses that libvirt's own DHCP server (dnsmasq) gave to machines, from `virsh domifaddr --source lease`: a line
 * ` vnet0  52:54:00:0b:6c:2c  ipv4  192.168.122.223/24` for each, and `-` for a name and MAC that are those of the line above.
 */
import { isIP } from 'node:net';
import type { PluginContext, VmAddresses } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { virsh, VIRSH } from './virsh';

/** The DHCP server writes here whom it gave what. */
export const LEASES_FOLDER = '/var/lib/libvirt/dnsmasq';
const TIMEOUT_MS = 10_000;

const CONNECTED = /^qemu:\/\/\S+$/;
const UUID = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/;
const LINE = /^\s*\S+\s+(?:(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|-)\s+ipv[46]\s+(\S+)\/\d{1,3}\s*$/;

function addressOf(line: string): string {
  const address = LINE.exec(line)?.[1] ?? '';
  if (isIP(address) === 0) throw new Error(`the line ${JSON.stringify(line)}`);
  return address;
}

/**
 * The answers to `uri; echo <id>; domifaddr <id> --source lease; echo <id>; ...`, in which `echo` ends no line.
 * @throws Error for any other line
 */
export function parseAddresses(text: string): VmAddresses[] {
  const [first = '', ...lines] = text.split('\n');
  // Without it there was no connection: that is not the same as nobody having an address.
  if (!CONNECTED.test(first)) throw new Error(`the line ${JSON.stringify(first)}`);
  const parts = lines.join('\n').split(UUID);
  if (parts[0]?.trim()) throw new Error(`the line ${JSON.stringify(parts[0])}`);
  return parts.flatMap((id, index) =>
    index % 2 === 0
      ? []
      : [
          {
            id,
            addresses: (parts[index + 1] ?? '')
              .split('\n')
              .filter((line) => line.trim() !== '')
              .map(addressOf),
          },
        ],
  );
}

export const addressesOf = (sdk: PluginSdk) => ({
  folder: LEASES_FOLDER,
  async read(context: PluginContext, ids: string[]): Promise<VmAddresses[]> {
    const asked = ids.map((id) => `echo ${id}; domifaddr ${id} --source lease`);
    // 1: one of them has gone off meanwhile. The others have answered.
    const { stdout } = await context.read(VIRSH, virsh(['uri', ...asked].join('; ')), {
      ...{ timeoutMs: TIMEOUT_MS, okExitCodes: [0, 1] },
    });
    return sdk.defineParser('virsh domifaddr', parseAddresses)(stdout);
  },
});
