/** Network cards of a machine: one more, one less, or one plugged in elsewhere; at once when it is on. */
import { z } from 'zod';
import type { VmCard, VmPlugin } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { normalMac } from '$lib/shared/vm-rules';
import { vmCardAddRequest, vmCardMoveRequest, vmCardRequest } from '$lib/shared/wire/vms';
import { AppError, issuesError } from '../errors';
import type { Prepared, RecordOwner } from '../operations/types';
import {
  bridgeIssues,
  cardAt,
  cardsFor,
  cardsOf,
  macsOfAll,
  refuseTakenMacs,
  wishIssues,
} from './card-rules';
import type { VmDeps } from './deps';
import { withoutBoot } from './disks';
import { GRACE_MS, refuseBetween, refusePaused, refuseUnknown } from './hardware-rules';
import { tell, verbRecord } from './records';
import { changeVm, findVm, type VmRecord } from './store';
import { isOff, parse, prepared, recordOf, statusNow, wrongState } from './verb';

/** The first place that is free, with an address that no other machine has. */
function freeCard(deps: VmDeps, record: VmRecord, plugin: VmPlugin, wanted: string | null): VmCard {
  const cards = cardsFor(plugin);
  const own = cardsOf(record.spec, plugin);
  const macs = macsOfAll(deps);
  for (let slot = 1; slot <= cards.most; slot += 1) {
    const mac = wanted ?? cards.macOf(record.spec, slot);
    if (own.every((card) => card.slot !== slot) && (wanted !== null || !macs.has(mac))) return { slot, mac };
  }
  throw new AppError(
    'cards_too_many',
    `"${record.name}" has ${own.length} network cards, and can have no more.`,
  );
}
const foundCard = ({ name, spec }: VmRecord, plugin: VmPlugin, slot: number): VmCard => {
  const card = cardsOf(spec, plugin).find((one) => one.slot === slot);
  if (!card) throw new AppError('card_not_found', `"${name}" has no network card ${slot}.`);
  return card;
};
const placeText = (bridge: string | null | undefined): string =>
  bridge ? `the bridge ${bridge}` : 'the network that machines share with the host (NAT)';
/** Nobody else is given the address meanwhile. */
const macLock = (mac: string): string => `mac:${mac}`;

export async function prepareAddCard(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, bridge, mac: asked } = parse(vmCardAddRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const free = freeCard(deps, record, plugin, asked === undefined ? null : normalMac(asked));
  const links = bridge === null && asked === undefined ? [] : await deps.networks.read();
  const wish = { bridge, ...(asked === undefined ? {} : { mac: asked }) };
  const own = { id: record.id, macs: cardsOf(spec, plugin).map((one) => one.mac) };
  const issues = wishIssues(deps, { wishes: [wish], links, own }, () => '');
  if (issues.length > 0) throw issuesError(issues);
  const card = cardAt(free.slot, free.mac, bridge);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  refuseUnknown(record, plugin, status);
  return prepared(plugin, record, {
    title: `Give ${name} a network card`,
    steps: cardsFor(plugin).add(spec, card, !isOff(status)),
    locks: [macLock(card.mac)],
    notes: [`Its address is ${card.mac}, and it is plugged into ${placeText(bridge)}.`],
    more: { card: { ...card }, has: true },
  });
}

export async function prepareMoveCard(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, slot, bridge } = parse(vmCardMoveRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const from = foundCard(record, plugin, slot);
  const issues = bridge === null ? [] : bridgeIssues(await deps.networks.read(), bridge, 'bridge');
  if (issues.length > 0) throw issuesError(issues);
  if ((from.bridge ?? null) === bridge)
    throw wrongState(`Network card ${slot} of "${name}" is plugged into ${placeText(bridge)} already.`);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  refuseUnknown(record, plugin, status);
  const to = cardAt(slot, from.mac, bridge);
  const facts = await deps.plugins.vmCardFacts(plugin.id, spec, from);
  return prepared(plugin, record, {
    title: `Plug network card ${slot} of ${name} into ${bridge ?? 'NAT'}`,
    steps: cardsFor(plugin).move(spec, from, to, facts, !isOff(status)),
    notes: [
      `It is plugged into ${placeText(bridge)}, and keeps its address ${from.mac}.`,
      ...(isOff(status) ? [] : ['Its guest may have to ask for an IP address again.']),
    ],
    more: { card: { ...to }, has: true },
  });
}

export async function prepareRemoveCard(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, slot } = parse(vmCardRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const card = foundCard(record, plugin, slot);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  refuseUnknown(record, plugin, status);
  refusePaused(name, status);
  const untilMs = isOff(status) ? null : deps.clock.now() + GRACE_MS;
  return prepared(plugin, record, {
    title: `Remove network card ${slot} of ${name}`,
    steps: cardsFor(plugin).remove(spec, card, untilMs),
    notes: untilMs === null ? [] : [`Its guest has ${GRACE_MS / 1_000} s to let go of it.`],
    more: { card: { ...card }, has: false },
  });
}

/** `has`: whether it has the card in the end. */
const changeInput = z.object({
  card: z.object({ slot: z.number(), mac: z.string(), bridge: z.string().optional() }),
  has: z.boolean(),
});

export const cardsRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps),
  begin(tx, operationId, prepared) {
    const { card, has } = changeInput.parse(prepared.input);
    verbRecord(deps, (_tx, { id }) => {
      if (has) refuseTakenMacs(deps, tx, id, [card]);
    }).begin(tx, operationId, prepared);
  },
  succeed(tx, _operationId, { input, subject: { id } }) {
    const { card, has } = changeInput.parse(input);
    const record = findVm(tx, id);
    if (record) {
      const { plugin, spec } = record;
      const others = cardsOf(spec, deps.plugins.knownVm(plugin)).filter(({ slot }) => slot !== card.slot);
      const cards = [...others, ...(has ? [cardAt(card.slot, card.mac, card.bridge ?? null)] : [])].toSorted(
        (a, b) => a.slot - b.slot,
      );
      const kept = has ? spec : withoutBoot(spec, `card-${card.slot}`);
      changeVm(tx, id, { spec: { ...kept, cards } });
    }
    tell(deps, id);
  },
});
