/** What a machine looks for a system in, and in which order: a number at each device of its definition. Pure but for reading that. */
import type { JsonObject, PluginContext, Step, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { deviceKeys, editStep, partText, withBoot } from './definition';
import { CD_TARGET, macOf, targetOf } from './domain-xml';
import { readEditable } from './virsh';

type Facts = Awaited<ReturnType<typeof readEditable>>;

/** As `definition.ts` knows what the core calls `disk-1`, `cd` and `card-1`. */
function keyOf(sdk: PluginSdk, { id, cards }: VmSpec, device: string): string {
  const [kind = '', slot = ''] = device.split('-');
  if (kind === 'cd') return `disk:${CD_TARGET}`;
  if (kind === 'disk') return `disk:${targetOf({ slot: Number(slot) })}`;
  const card = cards?.find((one) => one.slot === Number(slot));
  return `interface:${card?.mac ?? macOf(sdk, id, Number(slot))}`;
}

export const bootOf = (sdk: PluginSdk) => ({
  facts: async (context: PluginContext, { id }: VmSpec): Promise<JsonObject> => ({
    ...(await readEditable(context, id)),
  }),
  why(spec: VmSpec, order: string[], facts: JsonObject): string | null {
    const { definition, why } = facts as Facts;
    const there = new Set(deviceKeys(sdk, sdk.parseXml(definition)));
    const gone = order.find((device) => !there.has(keyOf(sdk, spec, device)));
    return why ?? (gone === undefined ? null : `Its definition has no ${gone} any more.`);
  },
  plan(spec: VmSpec, order: string[], facts: JsonObject): Step[] {
    const { definition: was } = facts as Facts;
    const domain = sdk.parseXml(was);
    const keys = order.map((device) => keyOf(sdk, spec, device));
    const is = withBoot(sdk, domain, keys);
    if (partText(sdk, 'boot', is) === partText(sdk, 'boot', domain)) return [];
    const title = 'Change what it is started from, and in which order';
    return [editStep(sdk, { id: spec.id, part: 'boot', name: 'set-boot-order', title, was, is })];
  },
});
