/** What lies outside of a machine's disks and belongs to it all the same: what its UEFI remembers, and what its TPM keeps. Pure. */
import { posix } from 'node:path';
import type { ExecAction, Step, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look } from './domain-steps';
import { tpmFolder } from './firmware';

export const DD = '/usr/bin/dd';
export const RM = '/usr/bin/rm';

/** Written whole to the drive before it ends. */
export const copyFile = (from: string, to: string): ExecAction => ({
  do: 'exec',
  program: DD,
  argv: [`if=${from}`, `of=${to}`, 'bs=64k', 'conv=fsync', 'status=none'],
});

/** In the machine's own folder; one that somebody has put elsewhere is not touched. */
export const ownNvram = ({ firmware, folder, adopted }: VmSpec): string | null =>
  firmware && !adopted && posix.dirname(firmware.nvramPath) === folder ? firmware.nvramPath : null;

/** In the machine's folder; null: it has no such things, or they are not ours. */
export const statesFolder = (spec: VmSpec): string | null =>
  spec.adopted === undefined &&
  (spec.firmware !== undefined || spec.tpm === true) &&
  (spec.firmware === undefined || ownNvram(spec) !== null)
    ? posix.join(spec.folder, 'states')
    : null;

/** `from`: of the machine that it is a clone of. */
export function nvramSteps(spec: VmSpec, from: string | undefined): Step[] {
  const path = ownNvram(spec);
  if (path === null || !spec.firmware) return [];
  const source = from ?? spec.firmware.templatePath;
  return [
    {
      name: 'make-nvram',
      title:
        from === undefined
          ? 'Give its UEFI a file to remember its settings in'
          : 'Copy what the UEFI of the other machine remembers',
      run: copyFile(source, path),
      undo: [{ do: 'remove-file', path }],
      look: look('same-file', { path, as: source }),
    },
  ];
}

/** Where its snapshots keep what is not on its disks. */
export function statesSteps({ looks }: Pick<PluginSdk, 'looks'>, spec: VmSpec): Step[] {
  const path = statesFolder(spec);
  if (path === null) return [];
  return [
    {
      name: 'make-states-folder',
      title: 'Make a folder for what its snapshots hold besides disks',
      run: { do: 'make-directory', path, mode: 0o700 },
      undo: [{ do: 'remove-directory', path }],
      look: looks.directory(path),
    },
  ];
}

/** After its engine has forgotten it. */
export function removeOutsideSteps({ looks, not }: PluginSdk, spec: VmSpec): Step[] {
  const nvram = ownNvram(spec);
  const states = statesFolder(spec);
  const folder = spec.tpm ? tpmFolder(spec) : null;
  return [
    ...(nvram === null
      ? []
      : [
          {
            name: 'remove-nvram',
            title: `Delete ${posix.basename(nvram)}`,
            run: { do: 'remove-file', path: nvram },
            undo: 'impossible',
            look: not(looks.fileThere(nvram)),
          } satisfies Step,
        ]),
    ...(states === null
      ? []
      : [
          {
            name: 'remove-states',
            title: 'Delete what its snapshots hold besides disks',
            run: { do: 'exec', program: RM, argv: ['-r', '-f', '--', states] },
            undo: 'impossible',
            look: not(looks.directory(states)),
          } satisfies Step,
        ]),
    ...(folder === null
      ? []
      : [
          {
            name: 'remove-tpm',
            title: 'Delete what its TPM keeps',
            run: { do: 'exec', program: RM, argv: ['-r', '-f', '--', folder] },
            undo: 'impossible',
            look: not(looks.directory(folder)),
          } satisfies Step,
        ]),
  ];
}
