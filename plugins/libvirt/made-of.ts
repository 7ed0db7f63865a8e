/**
 * What a definition says of all that Cairn keeps a record of besides CPUs and memory: network cards, the CD, how CPUs are arranged,
 * what it is started from. What somebody else has added to it is not Cairn's, and left out. Pure.
 */
import type { VmCard, VmMade, VmSpec, XmlNode } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { bootKeys, topologyOf } from './definition';
import { CD_TARGET, macOf, MOST_CARDS, MOST_DISKS, targetOf } from './domain-xml';
import { devicesIn } from './parse-devices';

/** Cards that the record knows, and those that their address gives away as Cairn's. */
function cardsIn(sdk: PluginSdk, { id, cards = [] }: VmSpec, macs: string[]): VmCard[] {
  const slots = Array.from({ length: MOST_CARDS }, (_, index) => index + 1);
  return slots.flatMap((slot) => {
    const known = cards.find((card) => card.slot === slot)?.mac;
    const mac = [known, macOf(sdk, id, slot)].find((one) => one !== undefined && macs.includes(one));
    return mac === undefined ? [] : [{ slot, mac }];
  });
}

export function madeOf(sdk: PluginSdk, spec: VmSpec, domain: XmlNode): VmMade {
  const { disks, macs } = devicesIn(domain);
  const cards = cardsIn(sdk, spec, macs);
  const devices = new Map<string, string>([
    ...Array.from({ length: MOST_DISKS }, (_, index) => index + 1).map((slot): [string, string] => [
      `disk:${targetOf({ slot })}`,
      `disk-${slot}`,
    ]),
    [`disk:${CD_TARGET}`, 'cd'],
    ...cards.map(({ slot, mac }): [string, string] => [`interface:${mac}`, `card-${slot}`]),
  ]);
  return {
    cards,
    cdPath: disks.find(({ target, isCd }) => isCd && target === CD_TARGET)?.path ?? null,
    topology: topologyOf(sdk, domain),
    boot: bootKeys(sdk, domain).flatMap((key) => devices.get(key) ?? []),
  };
}
