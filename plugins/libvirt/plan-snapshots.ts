/** Snapshots of a machine: libvirt keeps them, inside its qcow2 disks, with its definition and its memory. Pure. */
import { posix } from 'node:path';
import type { JsonObject, Step, VmMade, VmSnapshot, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, run } from './domain-steps';
import { NOTE_KEY, NOTE_URI, noteNode } from './parse-snapshots';
import { wholePlansOf, type WholeFacts } from './plan-states';
import { QEMU_IMG } from './qemu-img';

/** Where libvirt notes the snapshots of each domain, in a folder with its name. */
const SNAPSHOTS_FOLDER = '/var/lib/libvirt/qemu/snapshot';
/** Gigabytes of memory, and a slow disk. */
const MEMORY_MS = 30 * 60_000;

interface Facts {
  diskPaths: string[];
  runId: string | null;
  /** Of a machine that is more than its disks. */
  whole?: WholeFacts;
  /** By the name of the snapshot. */
  made?: Record<string, VmMade>;
}

export function snapshotPlansOf(sdk: PluginSdk) {
  const { xml, xmlText } = sdk;
  const whole = wholePlansOf(sdk);
  return {
    folders: ({ name }: VmSpec): string[] => [SNAPSHOTS_FOLDER, posix.join(SNAPSHOTS_FOLDER, name)],
    take(spec: VmSpec, wanted: { name: string; description: string | null }, facts: JsonObject): Step[] {
      const { name, description } = wanted;
      const { id } = spec;
      const { diskPaths, whole: more } = facts as unknown as Facts;
      if (more) return whole.take(spec, wanted, { diskPaths, whole: more });
      const document = xml(
        'domainsnapshot',
        {},
        xml('name', {}, name),
        description === null ? null : xml('description', {}, description),
      );
      return [
        {
          name: 'take-snapshot',
          title: 'Take the snapshot',
          run: {
            ...run('snapshot-create', id, '/dev/stdin'),
            stdin: xmlText(document),
            timeoutMs: MEMORY_MS,
          },
          undo: [
            { ...run('snapshot-delete', id, name), timeoutMs: MEMORY_MS },
            // What libvirtd had not made known yet when it was ended; while the machine is on QEMU refuses it.
            ...diskPaths.map((path) => ({
              ...{ do: 'exec' as const, program: QEMU_IMG, okExitCodes: [0, 1] },
              argv: ['snapshot', '-q', '-d', name, path],
            })),
          ],
          look: look('snapshot', { id, name, createdAt: null, diskPaths }),
        },
      ];
    },
    madeOf(spec: VmSpec, { name }: VmSnapshot, facts: JsonObject): VmMade {
      const { cards = [], cdPath, boot = [], topology } = spec;
      const { made } = facts as unknown as Facts;
      return made?.[name] ?? { cards, cdPath, boot, topology: topology ?? null };
    },
    restore(spec: VmSpec, { name, createdAt }: VmSnapshot, facts: JsonObject): Step[] {
      const { id } = spec;
      const { runId } = facts as unknown as Facts;
      const note = ['metadata', id, '--uri', NOTE_URI, '--config'];
      return [
        {
          name: 'note-restore',
          title: 'Note in its definition that it is being restored',
          run: run(...note, '--key', NOTE_KEY, '--set', xmlText(noteNode(sdk, { name, createdAt }))),
          undo: [run(...note, '--remove')],
          look: look('restore-noted', { id, name, createdAt }),
        },
        ...whole.stage(spec, name),
        {
          name: 'restore',
          title: 'Make it as it was in the snapshot',
          run: { ...run('snapshot-revert', id, name), timeoutMs: MEMORY_MS },
          undo: 'impossible',
          look: look('restored', { id, name, createdAt, runId }),
        },
        ...whole.putBack(spec, name),
      ];
    },
    delete: (spec: VmSpec, { name, createdAt }: VmSnapshot): Step[] => [
      {
        name: 'delete-snapshot',
        title: 'Delete the snapshot',
        run: { ...run('snapshot-delete', spec.id, name), timeoutMs: MEMORY_MS },
        undo: 'impossible',
        look: look('snapshot', { id: spec.id, name, createdAt, diskPaths: [] }, { negate: true }),
      },
      ...whole.drop(spec, { name }),
    ],
  };
}
