/** A machine goes from libvirt with its files kept, and comes back with its definition and its snapshots. */
import type { ExecAction, JsonObject, PluginContext, Step, VmPlugin, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { defineStep, look, run } from './domain-steps';
import { VIRSH, virsh } from './virsh';

interface Facts {
  definition: string;
  /** Parents before their children. The disks themselves hold what is in them. */
  snapshots: { name: string; xml: string; isCurrent: boolean }[];
}
const lines = (text: string): string[] => text.split('\n').filter(Boolean);

async function read(context: PluginContext, { id }: VmSpec): Promise<JsonObject> {
  const ask = async (...words: string[]): Promise<string> =>
    (await context.read(VIRSH, virsh(...words))).stdout;
  const [definition, list, current] = await Promise.all([
    ask('dumpxml', '--inactive', id),
    ask('snapshot-list', id, '--topological', '--name'),
    // 1: there is none that it goes on from. That there is no such machine the others say.
    context.read(VIRSH, virsh('snapshot-current', id, '--name'), { okExitCodes: [0, 1] }),
  ]);
  const snapshots = await Promise.all(
    lines(list).map(async (name) => ({
      ...{ name, isCurrent: name === current.stdout.trim() },
      xml: await ask('snapshot-dumpxml', id, '--snapshotname', name),
    })),
  );
  return { definition, snapshots };
}

const defineAction = ({ definition }: Facts): ExecAction => ({
  ...run('define', '/dev/stdin'),
  stdin: definition,
});
const redefineAction = (id: string, { xml, isCurrent }: Facts['snapshots'][number]): ExecAction => ({
  ...run('snapshot-create', id, '/dev/stdin', '--redefine', ...(isCurrent ? ['--current'] : [])),
  stdin: xml,
});

/** Where its firmware keeps its settings, and its TPM its keys: those go only with the machine itself. */
const keepFlags = ({ definition }: Facts): string[] => [
  '--keep-nvram',
  ...(definition.includes('<tpm') ? ['--keep-tpm'] : []),
];

export const shelveOf = (sdk: PluginSdk): NonNullable<VmPlugin['shelve']> => ({
  read,
  forget(spec, given) {
    if (given === null) return [];
    const facts = given as unknown as Facts;
    return [
      {
        name: 'forget',
        title: 'Have libvirt forget the machine; its files stay',
        run: run('undefine', spec.id, '--snapshots-metadata', ...keepFlags(facts)),
        undo: [defineAction(facts), ...facts.snapshots.map((one) => redefineAction(spec.id, one))],
        look: look('defined', { id: spec.id, name: spec.name }, { negate: true }),
      },
    ];
  },
  recall(spec, given) {
    if (given === null) return [defineStep(sdk, spec)];
    const facts = given as unknown as Facts;
    const { id, name } = spec;
    return [
      {
        name: 'define',
        title: 'Tell libvirt about the machine, as it was',
        run: defineAction(facts),
        undo: [run('undefine', id, '--snapshots-metadata', ...keepFlags(facts))],
        look: look('defined', { id, name }),
      },
      ...facts.snapshots.map((one, index): Step => ({
        name: `recall-snapshot-${index + 1}`,
        title: `Tell it of the snapshot "${one.name}", which is in its disk`,
        run: redefineAction(id, one),
        // It goes with the machine.
        undo: 'nothing',
        look: look('snapshot', { id, name: one.name, createdAt: null, diskPaths: [] }),
      })),
    ];
  },
});
