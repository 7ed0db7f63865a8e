/**
 * Machines that somebody else has made: what they are, and the note in their definition that Cairn keeps them. virsh changes this
 * one element of the definition and nothing else, on or off.
 */
import type { JsonObject, LookResult, PluginContext, Step, VmFound, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, run } from './domain-steps';
import { parseFound } from './parse-found';
import { readDefinition, readDomains, VIRSH, virsh } from './virsh';

/** Namespace of the note, and its prefix. */
const URI = 'urn:cairn:keeper';
const KEY = 'cairn-keeper';
const TIMEOUT_MS = 15_000;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function adoptOf(sdk: PluginSdk): {
  read(context: PluginContext, ids: string[]): Promise<VmFound[]>;
  keep(spec: VmSpec): Step[];
  giveUp(spec: VmSpec): Step[];
} {
  const { xml, xmlText, not } = sdk;
  const parse = sdk.defineParser('virsh dumpxml and domstats', (text) => parseFound(sdk, text));
  const note = (id: string, ...words: string[]) => run('metadata', id, '--uri', URI, '--config', ...words);
  const noted = ({ id }: VmSpec) => look('kept', { id });
  const put = ({ id }: VmSpec) => note(id, '--key', KEY, '--set', xmlText(xml('machine')));
  const take = ({ id }: VmSpec) => note(id, '--remove');
  return {
    async read(context, ids) {
      const asked = ids.filter((id) => UUID.test(id));
      if (asked.length === 0) return [];
      const dumps = asked.map((id) => `dumpxml --inactive ${id}`).join('; ');
      const question = `list --all --transient --uuid; ${dumps}; domstats --block --raw ${asked.join(' ')}`;
      // 1: one of them has gone meanwhile.
      const { stdout } = await context.read(VIRSH, virsh(question), {
        ...{ timeoutMs: TIMEOUT_MS, okExitCodes: [0, 1] },
      });
      return parse(stdout);
    },
    keep: (spec) => [
      {
        name: 'keep',
        title: 'Note in its definition that Cairn keeps it',
        run: put(spec),
        undo: [take(spec)],
        look: noted(spec),
      },
    ],
    giveUp: (spec) => [
      {
        name: 'give-up',
        title: 'Take away the note that Cairn keeps it',
        run: take(spec),
        undo: [put(spec)],
        look: not(noted(spec)),
      },
    ],
  };
}

export const adoptLooksOf = (sdk: PluginSdk) => {
  const domains = readDomains(sdk);
  const isKept = sdk.defineParser(
    'virsh dumpxml',
    (text) => sdk.childOf(sdk.parseXml(text), 'metadata', `${KEY}:machine`) !== undefined,
  );
  return {
    async kept(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const { id } = args;
      const domain = (await domains(context)).find((one) => one.id === id);
      if (!domain) return { status: 'absent', evidence: 'libvirt does not know the machine.' };
      return isKept(await readDefinition(context, domain.id))
        ? { status: 'done', evidence: `The definition of "${domain.name}" says that Cairn keeps it.` }
        : {
            status: 'absent',
            evidence: `The definition of "${domain.name}" does not say that Cairn keeps it.`,
          };
    },
  } satisfies Record<string, (context: PluginContext, args: JsonObject) => Promise<LookResult>>;
};
