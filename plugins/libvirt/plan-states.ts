/**
 * Snapshots of a machine that is more than its disks: what its UEFI remembers and what its TPM keeps belong to them. libvirt takes
 * none of such a machine, so that its steps are taken one by one, while it is off, and libvirt is told of the result
 * (`snapshot-create --redefine`); it restores and deletes what is in the disks itself. Pure.
 */
import { posix } from 'node:path';
import type { ExecAction, Step, VmSnapshot, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, off, run } from './domain-steps';
import { tpmFolder } from './firmware';
import { copyFile, ownNvram, RM, statesFolder, statesSteps } from './plan-firmware';
import { QEMU_IMG } from './qemu-img';

export const MV = '/usr/bin/mv';

export interface Part {
  what: 'nvram' | 'tpm';
  title: string;
  /** The machine's own. */
  path: string;
  /** As it was when the snapshot was taken. */
  kept: string;
}
/** Of one snapshot; none: its disks are all there is. */
export function partsOf({ derivedUuid }: Pick<PluginSdk, 'derivedUuid'>, spec: VmSpec, name: string): Part[] {
  const states = statesFolder(spec);
  if (states === null) return [];
  const folder = posix.join(states, derivedUuid(spec.id, `state ${name}`));
  const nvram = ownNvram(spec);
  return [
    ...(nvram === null
      ? []
      : [
          {
            ...{ what: 'nvram' as const, title: 'what its UEFI remembers', path: nvram },
            kept: posix.join(folder, 'nvram.fd'),
          },
        ]),
    ...(spec.tpm
      ? [
          {
            ...{ what: 'tpm' as const, title: 'what its TPM keeps' },
            // Where swtpm keeps what has to outlive its end (swtpm(8)).
            path: posix.join(tpmFolder(spec), 'tpm2/tpm2-00.permall'),
            kept: posix.join(folder, 'tpm2-00.permall'),
          },
        ]
      : []),
  ];
}

export interface WholeFacts {
  /** Of the machine as it is now. */
  definition: string;
  /** Name of the snapshot that it goes on from. */
  current: string | null;
  /** Seconds since the epoch. */
  takenAt: number;
  /** Of its disks that are written to: `vda` */
  targets: string[];
}

function describe(
  { xml, xmlText, parseXml }: PluginSdk,
  { name, description }: { name: string; description: string | null },
  { definition, current, takenAt, targets }: WholeFacts,
): string {
  return xmlText(
    xml(
      'domainsnapshot',
      {},
      xml('name', {}, name),
      description === null ? null : xml('description', {}, description),
      xml('state', {}, 'shutoff'),
      current === null ? null : xml('parent', {}, xml('name', {}, current)),
      xml('creationTime', {}, String(takenAt)),
      xml('memory', { snapshot: 'no' }),
      xml('disks', {}, ...targets.map((target) => xml('disk', { name: target, snapshot: 'internal' }))),
      parseXml(definition),
    ),
  );
}

export const wholePlansOf = (sdk: PluginSdk) => ({
  take(
    spec: VmSpec,
    wanted: { name: string; description: string | null },
    { diskPaths, whole }: { diskPaths: string[]; whole: WholeFacts },
  ): Step[] {
    const { looks } = sdk;
    const { id } = spec;
    const { name } = wanted;
    const parts = partsOf(sdk, spec, name);
    const folder = posix.dirname(parts[0]?.kept ?? '');
    const inDisk = (flag: '-c' | '-d', path: string): ExecAction => ({
      ...{ do: 'exec', program: QEMU_IMG, argv: ['snapshot', '-q', flag, name, path] },
    });
    return [
      {
        name: 'make-sure',
        title: 'Make sure that it is off',
        run: { do: 'wait' },
        undo: 'nothing',
        look: off(spec),
      },
      // One that was made by an older version has none yet. Other snapshots may be in it by now.
      ...statesSteps(sdk, spec).map((step): Step => ({ ...step, undo: 'nothing' })),
      {
        name: 'make-state-folder',
        title: 'Make a folder in it for this one',
        run: { do: 'make-directory', path: folder, mode: 0o700 },
        undo: [{ do: 'remove-directory', path: folder }],
        look: looks.directory(folder),
      },
      ...parts.map((part): Step => ({
        name: `keep-${part.what}`,
        title: `Copy ${part.title}`,
        run: copyFile(part.path, part.kept),
        undo: [{ do: 'remove-file', path: part.kept }],
        look: look('same-file', { path: part.kept, as: part.path }),
      })),
      ...diskPaths.map((path, index): Step => ({
        name: `keep-disk-${index + 1}`,
        title: `Keep what is on ${posix.basename(path)}, in that file`,
        run: inDisk('-c', path),
        undo: [inDisk('-d', path)],
        look: look('disk-holds', { path, name }),
      })),
      {
        name: 'take-snapshot',
        title: 'Tell libvirt of the snapshot',
        run: {
          ...run('snapshot-create', id, '/dev/stdin', '--redefine', '--current'),
          stdin: describe(sdk, wanted, whole),
        },
        undo: [run('snapshot-delete', id, name, '--metadata')],
        look: look('snapshot', { id, name, createdAt: whole.takenAt * 1_000, diskPaths: [] }),
      },
    ];
  },
  /** Before its disks are put back: copies lie beside what they replace, so that only names are exchanged afterwards. */
  stage: (spec: VmSpec, name: string): Step[] =>
    partsOf(sdk, spec, name).map(({ what, title, path, kept }): Step => ({
      name: `stage-${what}`,
      title: `Copy ${title} beside what there is now`,
      run: copyFile(kept, `${path}.new`),
      undo: [{ do: 'exec', program: RM, argv: ['-f', '--', `${path}.new`] }],
      look: look('same-file', { path: `${path}.new`, as: kept }),
    })),
  putBack: (spec: VmSpec, name: string): Step[] =>
    partsOf(sdk, spec, name).map(({ what, title, path, kept }): Step => ({
      name: `put-${what}-back`,
      title: `Put back ${title}`,
      run: { do: 'exec', program: MV, argv: ['-f', '-T', '--', `${path}.new`, path] },
      undo: 'impossible',
      look: look('put-back', { path, from: `${path}.new`, as: kept }),
    })),
  /** After libvirt has deleted what is in its disks. */
  drop(spec: VmSpec, { name }: Pick<VmSnapshot, 'name'>): Step[] {
    const { looks, not } = sdk;
    const parts = partsOf(sdk, spec, name);
    const [first] = parts;
    if (!first) return [];
    const folder = posix.dirname(first.kept);
    return [
      ...parts.map(({ what, title, kept }): Step => ({
        name: `drop-${what}`,
        title: `Delete ${title}, as it was then`,
        run: { do: 'remove-file', path: kept },
        undo: 'impossible',
        look: not(looks.fileThere(kept)),
      })),
      {
        name: 'drop-state-folder',
        title: 'Remove their folder',
        run: { do: 'remove-directory', path: folder },
        undo: 'impossible',
        look: not(looks.directory(folder)),
      },
    ];
  },
});
