/** Asks libvirt and qemu-img for the snapshots of one machine, whatever it does at the moment. */
import { existsSync } from 'node:fs';
import type { JsonObject, PluginContext, VmSnapshotsReading, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { madeOf } from './made-of';
import {
  parseDefinition,
  parseDiskSnapshots,
  parseSnapshots,
  type Definition,
  type DiskSnapshot,
  type KnownSnapshot,
} from './parse-snapshots';
import { statesFolder } from './plan-firmware';
import { partsOf, type WholeFacts } from './plan-states';
import { QEMU_IMG } from './qemu-img';
import { ask, readEditable, VIRSH, virsh } from './virsh';

/** As virsh reads a line: all between two of these is as it stands. */
const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
const lines = (text: string): string[] => text.split('\n').filter(Boolean);

export interface SnapshotsNow {
  definition: Definition;
  snapshots: KnownSnapshot[];
  /** Of its present process, another one after each start; null: it is off. */
  runId: string | null;
}

const definitionParser = (sdk: PluginSdk) =>
  sdk.defineParser('virsh dumpxml', (text) => parseDefinition(sdk, text));

/** Somebody may have given it another disk, or put a snapshot of its own kind before it. */
export const cloneWhy =
  (sdk: PluginSdk) =>
  async (context: PluginContext, spec: VmSpec, which: 'first' | 'all' = 'first'): Promise<string | null> => {
    const { id, diskPath, firmware: made, tpm: hasTpm } = spec;
    if (spec.adopted) return 'Cairn did not make it, and does not know how to make another one like it.';
    const { stdout } = await ask(context, ['dumpxml', '--inactive', id]);
    const { diskPaths, firmware, tpm } = definitionParser(sdk)(stdout);
    if (firmware?.nvramPath !== made?.nvramPath || tpm !== (hasTpm ?? false))
      return 'It starts otherwise than it was made to: somebody has changed its firmware or its TPM.';
    const known = which === 'first' ? [diskPath] : sdk.disksOf(spec).map(({ path }) => path);
    return diskPaths.toSorted().join('\n') === known.toSorted().join('\n')
      ? null
      : `It writes to other disks than ${which === 'first' ? 'the one that it was made with' : 'those that Cairn knows of'}: ${diskPaths.join(', ') || 'none'}.`;
  };

/** What libvirt alone knows. */
export const readSnapshotsNow =
  (sdk: PluginSdk) =>
  async (context: PluginContext, id: string): Promise<SnapshotsNow> => {
    const ask = async (...words: string[]): Promise<string> =>
      (await context.read(VIRSH, virsh(...words))).stdout;
    const [definition, runId, list, current] = await Promise.all([
      ask('dumpxml', '--inactive', id),
      ask('domid', id),
      ask('snapshot-list', id, '--name'),
      // 1: there is none that it goes on from. That there is no such machine the others say.
      context.read(VIRSH, virsh('snapshot-current', id, '--name'), { okExitCodes: [0, 1] }),
    ]);
    const names = lines(list);
    const dump = names.map((name) => `snapshot-dumpxml ${id} ${quoted(name)}`).join('; ');
    const snapshots = dump === '' ? [] : parsedSnapshots(sdk, names, await ask(dump));
    return {
      definition: definitionParser(sdk)(definition),
      snapshots: snapshots.map((one) => ({ ...one, isCurrent: one.name === current.stdout.trim() })),
      runId: /^\d+$/.exec(runId.trim())?.[0] ?? null,
    };
  };

/** virsh goes on after a question that failed: each has to be answered. */
const parsedSnapshots = (sdk: PluginSdk, names: string[], text: string): KnownSnapshot[] =>
  sdk.defineParser('virsh snapshot-dumpxml', (xml) => {
    const snapshots = parseSnapshots(sdk, xml);
    const missing = names.find((name) => !snapshots.some((one) => one.name === name));
    if (missing !== undefined) throw new Error(`it says nothing of "${missing}"`);
    return snapshots;
  })(text);

/** What the disks hold, and which of them could not be read. */
export const readDiskSnapshots =
  (sdk: PluginSdk) =>
  async (
    context: PluginContext,
    paths: string[],
  ): Promise<{ held: DiskSnapshot[]; unreadable: string[] }> => {
    const parse = sdk.defineParser('qemu-img info', parseDiskSnapshots);
    const answers = await Promise.all(
      paths.map(async (path) => {
        const argv = ['info', '--output=json', '--force-share', '-f', 'qcow2', path];
        const { exitCode, stdout } = await context.read(QEMU_IMG, argv, { okExitCodes: [0, 1] });
        return { path, held: exitCode === 0 ? parse(stdout) : null };
      }),
    );
    return {
      held: answers.flatMap(({ held }) => held ?? []),
      unreadable: answers.filter(({ held }) => held === null).map(({ path }) => path),
    };
  };

const LEAST =
  'Start it once, and shut it down: what its UEFI remembers or its TPM keeps is not there yet, and belongs to it.';
const ON =
  'It is on, and what its UEFI remembers or its TPM keeps would change meanwhile: libvirt cannot keep all of it as one. Shut it down first: then its disks and these are kept together.';
const ON_DELETE =
  'The machine is on, and starts by UEFI or has a TPM: what is in its disks cannot be deleted meanwhile. Shut it down first.';
const DISKS_ONLY =
  'It holds disks alone, and not what the UEFI of the machine remembered or its TPM kept then. It was not taken by Cairn, or a part of it is gone.';

interface Whole {
  /** Why nothing can be done with its snapshots now; null: it can. */
  why: string | null;
  /** null: its disks are all there is. */
  facts: WholeFacts | null;
}
/** Of a machine that is more than its disks. */
async function wholeOf(
  context: PluginContext,
  sdk: PluginSdk,
  spec: VmSpec,
  now: SnapshotsNow,
): Promise<Whole> {
  const { definition, runId, snapshots } = now;
  if (definition.outside === null) return { why: null, facts: null };
  const isOurs =
    statesFolder(spec) !== null &&
    definition.firmware?.nvramPath === spec.firmware?.nvramPath &&
    definition.tpm === (spec.tpm ?? false);
  if (!isOurs) return { why: definition.outside, facts: null };
  const { definition: text, why } = await readEditable(context, spec.id);
  const isThere = partsOf(sdk, spec, '').every(({ path }) => existsSync(path));
  return {
    why: runId === null ? (why ?? (isThere ? null : LEAST)) : ON,
    facts: {
      ...{ definition: text, current: snapshots.find(({ isCurrent }) => isCurrent)?.name ?? null },
      ...{ takenAt: Math.floor(Date.now() / 1_000), targets: definition.targets },
    },
  };
}

const OTHER_DISKS =
  'The machine had other disks then. libvirt would put back only those of its content that are still there.';
const GONE = 'Its disk does not have it any more, as after a roll back of the pool.';
/** With several disks it is in the first one only. */
const memoryIn = (held: DiskSnapshot[], name: string): number | null =>
  Math.max(0, ...held.filter((one) => one.name === name).map(({ memoryBytes }) => memoryBytes)) || null;

const madeByName = (sdk: PluginSdk, spec: VmSpec, snapshots: KnownSnapshot[]): JsonObject =>
  Object.fromEntries(
    snapshots.flatMap(({ name, definition: then }) =>
      then ? [[name, JSON.parse(JSON.stringify(madeOf(sdk, spec, then))) as JsonObject]] : [],
    ),
  );

export const readSnapshots =
  (sdk: PluginSdk) =>
  async (context: PluginContext, spec: VmSpec): Promise<VmSnapshotsReading> => {
    const { id } = spec;
    const now = await readSnapshotsNow(sdk)(context, id);
    const { definition, snapshots, runId } = now;
    const { diskPaths, obstacle: disksWhy } = definition;
    const { why, facts: whole } = await wholeOf(context, sdk, spec, now);
    const obstacle = why === null || whole ? disksWhy : why;
    const isKept = (name: string): boolean =>
      whole === null || partsOf(sdk, spec, name).every(({ kept }) => existsSync(kept));
    const nothing = { held: [], unreadable: [] };
    const { held, unreadable } =
      obstacle === null ? await readDiskSnapshots(sdk)(context, diskPaths) : nothing;
    const inDisk = new Set(held.map(({ name }) => name));
    const isWhole = obstacle === null && unreadable.length === 0;
    const known = new Set(snapshots.map(({ name }) => name));
    return {
      snapshots: snapshots.map(({ diskPaths: had, definition: _, ...one }) => ({
        ...one,
        memoryBytes: memoryIn(held, one.name),
        restoreWhy:
          one.restoreWhy ??
          (whole ? why : null) ??
          (had.toSorted().join() === diskPaths.toSorted().join() ? null : OTHER_DISKS) ??
          (isWhole && !inDisk.has(one.name) ? GONE : null) ??
          (isKept(one.name) ? null : DISKS_ONLY),
        // While it is on, QEMU deletes only what all of its parts can hold.
        deleteWhy: one.deleteWhy ?? (whole && runId !== null ? ON_DELETE : null),
      })),
      takeWhy:
        obstacle ?? why ?? (unreadable[0] === undefined ? null : `${unreadable[0]} cannot be read now.`),
      strays: [...inDisk].filter((name) => !known.has(name)),
      facts: {
        diskPaths,
        runId,
        ...(whole ? { whole: { ...whole } } : {}),
        made: madeByName(sdk, spec, snapshots),
      },
    };
  };
