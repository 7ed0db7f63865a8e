/** Which network cards a machine may have: addresses that nobody else has, on bridges that are there. */
import type { VmCard, VmPlugin, VmSpec } from '$lib/plugin-api/vm';
import type { Issue } from '$lib/shared/error-codes';
import { macIssues, normalMac } from '$lib/shared/vm-rules';
import type { HostLink } from '$lib/shared/wire/networks';
import type { VmCardWish } from '$lib/shared/wire/vms';
import type { Db, Transaction } from '../db/client';
import { AppError, issue } from '../errors';
import type { VmDeps } from './deps';
import { listVms, type VmRecord } from './store';

type Cards = NonNullable<VmPlugin['cards']>;

export const cardsOf = (spec: VmSpec, plugin: Pick<VmPlugin, 'cards'>): VmCard[] =>
  spec.cards ?? (plugin.cards ? [{ slot: 1, mac: plugin.cards.macOf(spec, 1) }] : []);

export function cardsFor(plugin: VmPlugin): Cards {
  if (plugin.cards) return plugin.cards;
  throw new AppError(
    'vm_wrong_state',
    `The plugin ${plugin.name} cannot change the network cards of machines.`,
  );
}

export const cardAt = (slot: number, mac: string, bridge: string | null): VmCard => ({
  ...{ slot, mac },
  ...(bridge === null ? {} : { bridge }),
});

/** Addresses of all machines, and the name of each. */
function ownersOf(deps: Pick<VmDeps, 'plugins'>, db: Db | Transaction): Map<string, VmRecord> {
  return new Map(
    listVms(db)
      .filter(({ state }) => state !== 'failed')
      .flatMap((record) =>
        cardsOf(record.spec, deps.plugins.knownVm(record.plugin)).map(({ mac }) => [mac, record] as const),
      ),
  );
}
export const macsOfAll = (deps: Pick<VmDeps, 'plugins' | 'db'>): Set<string> =>
  new Set(ownersOf(deps, deps.db).keys());

/** Whoever was first has it: asked once more in the transaction that promises it. @throws AppError mac_taken */
export function refuseTakenMacs(
  deps: Pick<VmDeps, 'plugins'>,
  tx: Transaction,
  id: string,
  cards: VmCard[],
): void {
  const owners = ownersOf(deps, tx);
  for (const { mac } of cards) {
    const owner = owners.get(mac);
    if (owner && owner.id !== id) throw new AppError('mac_taken', `"${owner.name}" has the address ${mac}.`);
  }
}

export function bridgeIssues(links: HostLink[], bridge: string | null, field: string): Issue[] {
  if (bridge === null) return [];
  const found = links.find(({ id }) => id === bridge);
  if (found?.kind === 'bridge') return [];
  const bridges = links.filter(({ kind }) => kind === 'bridge').map(({ id }) => id);
  return [
    issue(
      'bridge_not_found',
      found
        ? `"${bridge}" is no bridge, and no machine can be plugged into it.`
        : `The host has no bridge "${bridge}"${bridges.length > 0 ? `, only ${bridges.join(', ')}` : ''}.`,
      field,
    ),
  ];
}

/** What is wrong with cards that are asked for, all at once; `prefix`: of their fields. */
export function wishIssues(
  deps: VmDeps,
  { wishes, links, own }: { wishes: VmCardWish[]; links: HostLink[]; own: { id: string; macs: string[] } },
  prefix: (index: number) => string,
): Issue[] {
  const owners = ownersOf(deps, deps.db);
  const seen = new Set(own.macs);
  return wishes.flatMap(({ bridge, mac }, index) => {
    const issues = bridgeIssues(links, bridge, `${prefix(index)}bridge`);
    if (mac === undefined) return issues;
    const field = `${prefix(index)}mac`;
    const wrong = macIssues(mac, field);
    const normal = normalMac(mac);
    const owner = owners.get(normal);
    const link = links.find((one) => one.mac === normal);
    if (wrong.length === 0 && seen.has(normal))
      wrong.push(issue('mac_taken', `Another card of this machine has the address ${normal}.`, field));
    else if (wrong.length === 0 && owner && owner.id !== own.id)
      wrong.push(issue('mac_taken', `"${owner.name}" has the address ${normal}.`, field));
    else if (wrong.length === 0 && link)
      wrong.push(issue('mac_taken', `The host's own "${link.id}" has the address ${normal}.`, field));
    seen.add(normal);
    return [...issues, ...wrong];
  });
}

/** Of a machine that is to be made. */
export async function cardIssues(
  deps: VmDeps,
  plugin: VmPlugin,
  { id, cards = [] }: { id: string; cards?: VmCardWish[] | undefined },
): Promise<Issue[]> {
  if (cards.length === 0) return [];
  const { most } = cardsFor(plugin);
  if (cards.length > most)
    return [
      issue('cards_too_many', `${cards.length} network cards are asked for; ${most} can be had.`, 'cards'),
    ];
  const links = await deps.networks.read();
  return wishIssues(deps, { wishes: cards, links, own: { id, macs: [] } }, (index) => `cards.${index}.`);
}
export const wishedCards = (plugin: VmPlugin, spec: VmSpec, wishes: VmCardWish[]): VmCard[] =>
  wishes.map(({ bridge, mac }, index) =>
    cardAt(index + 1, mac === undefined ? cardsFor(plugin).macOf(spec, index + 1) : normalMac(mac), bridge),
  );

/** Before a machine is started: nothing would tell it later that nobody is at the end of its cable. */
export async function refuseMissingBridges(
  deps: Pick<VmDeps, 'networks' | 'plugins'>,
  { name, spec, plugin }: VmRecord,
): Promise<void> {
  const bridges = cardsOf(spec, deps.plugins.knownVm(plugin)).flatMap(({ bridge }) => bridge ?? []);
  if (bridges.length === 0) return;
  const links = await deps.networks.read();
  const [missing] = bridges.flatMap((bridge) => bridgeIssues(links, bridge, ''));
  if (missing)
    throw new AppError('bridge_not_found', `"${name}" is plugged into a bridge. ${missing.message}`, {
      remedy: 'Make the bridge again, or plug its network card in elsewhere.',
    });
}
