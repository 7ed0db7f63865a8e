/** Network cards of a machine: one more, or one less; at once when it is on. */
import { z } from 'zod';
import type { VmCard, VmPlugin, VmSpec } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { vmCardRequest, vmRequest } from '$lib/shared/wire/vms';
import { AppError } from '../errors';
import type { Prepared, RecordOwner } from '../operations/types';
import type { VmDeps } from './deps';
import { withoutBoot } from './disks';
import { GRACE_MS, refuseBetween, refusePaused, refuseUnknown } from './hardware-rules';
import { tell, verbRecord } from './records';
import { changeVm, findVm, listVms, type VmRecord } from './store';
import { isOff, parse, prepared, recordOf, statusNow, wrongState } from './verb';

type Cards = NonNullable<VmPlugin['cards']>;

export const cardsOf = (spec: VmSpec, plugin: Pick<VmPlugin, 'cards'>): VmCard[] =>
  spec.cards ?? (plugin.cards ? [{ slot: 1, mac: plugin.cards.macOf(spec, 1) }] : []);

function cardsFor(plugin: VmPlugin): Cards {
  if (plugin.cards) return plugin.cards;
  throw wrongState(`The plugin ${plugin.name} cannot change the network cards of machines.`);
}

/** The first place that is free, with an address that no other machine has. */
function freeCard(deps: VmDeps, record: VmRecord, plugin: VmPlugin): VmCard {
  const cards = cardsFor(plugin);
  const own = cardsOf(record.spec, plugin);
  const macs = new Set(listVms(deps.db).flatMap(({ spec }) => cardsOf(spec, plugin).map(({ mac }) => mac)));
  for (let slot = 1; slot <= cards.most; slot += 1) {
    const mac = cards.macOf(record.spec, slot);
    if (own.every((card) => card.slot !== slot) && !macs.has(mac)) return { slot, mac };
  }
  throw new AppError(
    'cards_too_many',
    `"${record.name}" has ${own.length} network cards, and can have no more.`,
  );
}

export async function prepareAddCard(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  const { name, spec } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const card = freeCard(deps, record, plugin);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  refuseUnknown(record, plugin, status);
  return prepared(plugin, record, {
    title: `Give ${name} a network card`,
    steps: cardsFor(plugin).add(spec, card, !isOff(status)),
    notes: [`Its address is ${card.mac}.`],
    more: { card: { ...card }, has: true },
  });
}

export async function prepareRemoveCard(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, slot } = parse(vmCardRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const card = cardsOf(spec, plugin).find((one) => one.slot === slot);
  if (!card) throw new AppError('card_not_found', `"${name}" has no network card ${slot}.`);
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
  card: z.object({ slot: z.number(), mac: z.string() }),
  has: z.boolean(),
});

export const cardsRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps),
  succeed(tx, _operationId, { input, subject: { id } }) {
    const { card, has } = changeInput.parse(input);
    const record = findVm(tx, id);
    if (record) {
      const { plugin, spec } = record;
      const others = cardsOf(spec, deps.plugins.knownVm(plugin)).filter(({ slot }) => slot !== card.slot);
      const cards = [...others, ...(has ? [card] : [])].toSorted((a, b) => a.slot - b.slot);
      const kept = has ? spec : withoutBoot(spec, `card-${card.slot}`);
      changeVm(tx, id, { spec: { ...kept, cards } });
    }
    tell(deps, id);
  },
});
