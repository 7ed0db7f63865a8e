/** What cloud-init is told of the network of a machine: each card with an address that nobody else has. */
import { posix } from 'node:path';
import { readFile } from 'node:fs/promises';
import type { VmCard } from '$lib/plugin-api/vm';
import type { Issue } from '$lib/shared/error-codes';
import { ipIssues, ipKey } from '$lib/shared/ip-rules';
import type { CardIp, VmCloudInit } from '$lib/shared/wire/vms';
import { issue } from '../errors';
import { networkConfig } from './cloud-init';
import type { VmDeps } from './deps';
import { listVms, type VmRecord } from './store';

const FIELD = 'cloudInit.network';

/** Who has each address, as far as it is known. */
async function ownersOf(
  deps: Pick<VmDeps, 'db' | 'networks'>,
  exceptId: string,
): Promise<Map<string, string>> {
  const links = await deps.networks.read();
  const ofHost = links.flatMap(({ id, addresses }) =>
    addresses.map((address) => [ipKey(address) ?? '', `The host's own "${id}"`] as const),
  );
  const ofVms = listVms(deps.db)
    .filter(({ id, state }) => id !== exceptId && state !== 'failed')
    .flatMap(({ name, spec }) =>
      (spec.seedNetwork?.addresses ?? []).map((address) => [ipKey(address) ?? '', `"${name}"`] as const),
    );
  return new Map([...ofVms, ...ofHost]);
}

/** @param cards slots that the machine has */
export async function networkIssues(
  deps: Pick<VmDeps, 'db' | 'networks'>,
  network: CardIp[] | undefined,
  { id, slots }: { id: string; slots: number[] },
): Promise<Issue[]> {
  if (!network || network.length === 0) return [];
  const owners = await ownersOf(deps, id);
  const seen = new Set<string>();
  return network.flatMap((wish, index) => {
    const field = `${FIELD}.${index}.`;
    const issues = ipIssues(wish, field);
    if (!slots.includes(wish.slot))
      issues.push(issue('card_not_found', `The machine has no network card ${wish.slot}.`, `${field}slot`));
    else if (network.findIndex(({ slot }) => slot === wish.slot) !== index)
      issues.push(issue('invalid_input', `Network card ${wish.slot} is there twice.`, `${field}slot`));
    for (const [at, address] of wish.addresses.entries()) {
      const key = ipKey(address) ?? '';
      const owner = owners.get(key) ?? (seen.has(key) ? 'Another card of this machine' : undefined);
      if (owner !== undefined && !issues.some((one) => one.field === `${field}addresses.${at}`))
        issues.push(
          issue('ip_address_taken', `${owner} has the address ${address}.`, `${field}addresses.${at}`),
        );
    }
    for (const address of wish.addresses) seen.add(ipKey(address) ?? '');
    return issues;
  });
}

/** null: nothing is told of it. Cards that nothing is said of ask by DHCP. */
export function networkFileOf(network: CardIp[] | undefined, cards: VmCard[]): string | null {
  if (!network || network.length === 0) return null;
  const nothing = { addresses: [], gateways: [], dns: [], search: [] };
  return networkConfig(
    cards.map(({ slot, mac }) => ({
      ...nothing,
      ...network.find((one) => one.slot === slot),
      ...{ slot, mac },
    })),
  );
}

const FILES = ['user-data', 'meta-data', 'network-config'] as const;
/** The files of its seed, as they lie beside it. The hash of a password is in none of them. */
export async function readCloudInit({ spec }: VmRecord): Promise<VmCloudInit> {
  if (spec.seedPath === null) return { files: null };
  const texts = await Promise.all(
    FILES.map(async (name) => {
      try {
        return [{ name, text: await readFile(posix.join(spec.folder, name), 'utf8') }];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    }),
  );
  return { files: texts.flat() };
}
