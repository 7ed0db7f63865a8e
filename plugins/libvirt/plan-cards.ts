/** Network cards of a machine that is there. Pure. */
import type { Step, VmCard, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { startNetwork } from './domain-steps';
import { cardXml, macOf, MOST_CARDS } from './domain-xml';
import { giveSteps, takeSteps, type Pluggable } from './plan-plug';

const pluggable = (sdk: PluginSdk, spec: VmSpec, card: VmCard): Pluggable => ({
  ...{ id: spec.id, noun: 'network card', xml: cardXml(sdk, spec, card) },
  has: { look: 'card', args: { mac: card.mac } },
});

export const cardsFor = (sdk: PluginSdk) => ({
  most: MOST_CARDS,
  macOf: ({ id }: VmSpec, slot: number): string => macOf(sdk, id, slot),
  add: (spec: VmSpec, card: VmCard, isOn: boolean): Step[] => [
    ...(isOn ? [startNetwork] : []),
    ...giveSteps(pluggable(sdk, spec, card), isOn),
  ],
  remove: (spec: VmSpec, card: VmCard, untilMs: number | null): Step[] =>
    takeSteps(sdk, pluggable(sdk, spec, card), untilMs),
});
