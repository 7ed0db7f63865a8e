/** Network cards of a machine that is there. Pure, but for what a change has to know. */
import type {
  JsonObject,
  Look,
  PluginContext,
  Step,
  VmCard,
  VmSpec,
  XmlNode,
} from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, run, startNetwork } from './domain-steps';
import { cardXml, macOf, MOST_CARDS, movedCard } from './domain-xml';
import { giveSteps, takeSteps, type Pluggable, type Scope } from './plan-plug';
import { readDevices, type Where } from './virsh';

const pluggable = (sdk: PluginSdk, spec: VmSpec, card: VmCard): Pluggable => ({
  ...{ id: spec.id, noun: 'network card', xml: cardXml(sdk, spec, card) },
  has: { look: 'card', args: { mac: card.mac } },
});

/** The card as its definition, and as the machine that is on, has it; in XML, so that nothing of it gets lost. */
const factsFor =
  (sdk: PluginSdk) =>
  async (context: PluginContext, { id }: VmSpec, { mac }: VmCard): Promise<JsonObject> => {
    const devices = readDevices(sdk);
    const textIn = async (where: Where): Promise<string | null> => {
      const card = (await devices(context, id, where)).cards.find((one) => one.mac === mac);
      return card ? sdk.xmlText(card.node) : null;
    };
    return { config: await textIn('config'), on: await textIn('on') };
  };

function moveSteps(
  sdk: PluginSdk,
  { id }: VmSpec,
  { from, to, facts, isOn }: { from: VmCard; to: VmCard; facts: JsonObject; isOn: boolean },
): Step[] {
  const step = (name: string, title: string, where: 'config' | 'on', scope: Scope): Step => {
    const text = facts[where];
    const had: XmlNode | null = typeof text === 'string' ? sdk.parseXml(text) : null;
    if (!had) throw new Error(`the machine does not have the network card ${from.mac}`);
    const act = (node: XmlNode) => ({
      ...run('update-device', id, '/dev/stdin', scope),
      stdin: sdk.xmlText(node),
    });
    const at: Look = look('card-at', {
      ...{ id, mac: to.mac, where, is: to.bridge ?? null, was: from.bridge ?? null },
    });
    return { name, title, run: act(movedCard(sdk, had, to)), undo: [act(had)], look: at };
  };
  return [
    ...(to.bridge === undefined ? [startNetwork] : []),
    step('replug', 'Plug the card in there, whenever the machine is started', 'config', '--config'),
    ...(isOn ? [step('replug-now', 'Plug it in there now', 'on', '--live')] : []),
  ];
}

export const cardsFor = (sdk: PluginSdk) => ({
  most: MOST_CARDS,
  macOf: ({ id }: VmSpec, slot: number): string => macOf(sdk, id, slot),
  add: (spec: VmSpec, card: VmCard, isOn: boolean): Step[] => [
    ...(isOn && card.bridge === undefined ? [startNetwork] : []),
    ...giveSteps(pluggable(sdk, spec, card), isOn),
  ],
  remove: (spec: VmSpec, card: VmCard, untilMs: number | null): Step[] =>
    takeSteps(sdk, pluggable(sdk, spec, card), untilMs),
  facts: factsFor(sdk),
  move: (spec: VmSpec, from: VmCard, to: VmCard, facts: JsonObject, isOn: boolean): Step[] =>
    moveSteps(sdk, spec, { from, to, facts, isOn }),
});
