/** How a machine comes to be and how it goes, as steps. Pure. */
import { posix } from 'node:path';
import type { Step, VmOrigin, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { createdStep, keepFlags, look, run, switchOff } from './domain-steps';
import { nvramSteps, removeOutsideSteps, statesSteps } from './plan-firmware';
import { QEMU_IMG } from './qemu-img';
import { unpacked, volumeSteps } from './plan-volumes';
import { XORRISO } from './virsh';

const MINUTE_MS = 60_000;
/** A copy reads and writes the whole image. */
const COPY_MS = 240 * MINUTE_MS;

const seedFiles = (spec: VmSpec) => ({
  userData: posix.join(spec.folder, 'user-data'),
  metaData: posix.join(spec.folder, 'meta-data'),
  networkConfig: posix.join(spec.folder, 'network-config'),
});

export function plansOf(sdk: PluginSdk) {
  const { looks, not } = sdk;

  function volume(spec: VmSpec, { image }: VmOrigin): Step[] {
    const { diskPath: path, diskBytes } = spec;
    const undo = [{ do: 'remove-file', path } as const];
    const exec = (...argv: string[]) => ({ do: 'exec', program: QEMU_IMG, argv }) as const;
    const wanted = look('volume', { path, sizeBytes: diskBytes });
    if (image?.how === 'unpack') return unpacked(sdk, { slot: 1, path, sizeBytes: diskBytes }, image);
    if (image?.how !== 'copy') {
      const base = image ? ['-b', image.path, '-F', image.format] : [];
      return [
        {
          name: 'make-volume',
          title: image ? 'Make a disk that keeps what changes, above the image' : 'Make an empty disk',
          run: exec('create', '-q', '-f', 'qcow2', ...base, path, String(diskBytes)),
          undo,
          look: wanted,
        },
      ];
    }
    return [
      {
        name: 'copy-image',
        title: 'Copy the image to a disk of its own',
        run: {
          ...exec('convert', '-q', '-f', image.format, '-O', 'qcow2', image.path, path),
          timeoutMs: COPY_MS,
        },
        undo,
        look: look('volume', { path, sizeBytes: null }),
      },
      {
        name: 'size-volume',
        title: 'Give the disk its size',
        run: exec('resize', '-q', '-f', 'qcow2', path, String(diskBytes)),
        undo: 'nothing',
        look: wanted,
      },
    ];
  }

  function seed(spec: VmSpec, origin: VmOrigin): Step[] {
    if (!origin.seed || spec.seedPath === null) return [];
    const { userData, metaData, networkConfig } = seedFiles(spec);
    const { seedPath } = spec;
    const file = (name: string, title: string, path: string, content: string): Step => ({
      name,
      title,
      run: { do: 'write-file', path, content, mode: 0o600 },
      undo: [{ do: 'remove-file', path }],
      look: looks.file(path, content),
    });
    const { secretPath, networkConfig: network } = origin.seed;
    return [
      file('write-user-data', 'Write down who may log in', userData, origin.seed.userData),
      file('write-meta-data', 'Write down its name', metaData, origin.seed.metaData),
      ...(network === null
        ? []
        : [file('write-network-config', 'Write down its network', networkConfig, network)]),
      {
        name: 'make-seed',
        title: 'Make the CD that cloud-init reads at the first start',
        run: {
          do: 'exec',
          program: XORRISO,
          argv: [
            ...['-abort_on', 'FAILURE', '-report_about', 'WARNING', '-outdev', `stdio:${seedPath}`],
            ...['-volid', 'cidata', '-joliet', 'on'],
            ...['-map', userData, '/user-data', '-map', metaData, '/meta-data'],
            ...(network === null ? [] : ['-map', networkConfig, '/network-config']),
            // The hash of the password is in a file that only root can read, and in no plan.
            ...(secretPath === null ? [] : ['-map', secretPath, '/vendor-data']),
            '-end',
          ],
        },
        undo: [{ do: 'remove-file', path: seedPath }],
        look: look('seed', { path: seedPath }),
      },
    ];
  }

  const undefine = ({ id }: VmSpec, ...kept: string[]): Step => ({
    name: 'undefine',
    title: 'Have libvirt forget the machine',
    run: run('undefine', id, '--managed-save', '--snapshots-metadata', ...kept),
    undo: 'impossible',
    look: look('defined', { id }, { negate: true }),
  });
  const removeFile = (name: string, path: string): Step => ({
    name,
    title: `Delete ${posix.basename(path)}`,
    run: { do: 'remove-file', path },
    undo: 'impossible',
    look: not(looks.fileThere(path)),
  });

  return {
    create(spec: VmSpec, origin: VmOrigin): Step[] {
      const above = posix.dirname(spec.folder);
      return [
        {
          name: 'make-shared-folder',
          title: 'Make the folder for machines',
          // Traversable and no more: what a guest has on its disk is nobody's business.
          run: { do: 'make-directory', path: above, mode: 0o711 },
          // Other machines may be in it by now; an empty folder does no harm.
          undo: 'nothing',
          look: looks.directory(above),
        },
        {
          name: 'make-folder',
          title: 'Make a folder of its own',
          run: { do: 'make-directory', path: spec.folder, mode: 0o711 },
          undo: [{ do: 'remove-directory', path: spec.folder }],
          look: looks.directory(spec.folder),
        },
        ...volume(spec, origin),
        ...volumeSteps(sdk, spec, origin),
        ...nvramSteps(spec, origin.nvramFrom),
        ...statesSteps(sdk, spec),
        ...seed(spec, origin),
        createdStep(sdk, spec),
      ];
    },
    destroy(spec: VmSpec, { keepFolder }: { keepFolder: boolean }): Step[] {
      if (spec.adopted) return [switchOff(spec), undefine(spec, '--keep-nvram', '--keep-tpm')];
      const { userData, metaData, networkConfig } = seedFiles(spec);
      return [
        switchOff(spec),
        undefine(spec, ...keepFlags(spec)),
        ...sdk
          .disksOf(spec)
          .map(({ slot, path }) => removeFile(slot === 1 ? 'remove-disk' : `remove-disk-${slot}`, path)),
        ...removeOutsideSteps(sdk, spec),
        ...(spec.seedPath === null
          ? []
          : [
              removeFile('remove-seed', spec.seedPath),
              removeFile('remove-user-data', userData),
              removeFile('remove-meta-data', metaData),
              ...(spec.seedNetwork ? [removeFile('remove-network-config', networkConfig)] : []),
            ]),
        ...(keepFolder
          ? []
          : [
              {
                name: 'remove-folder',
                title: 'Remove its folder',
                run: { do: 'remove-directory', path: spec.folder },
                undo: 'impossible',
                look: not(looks.directory(spec.folder)),
              } satisfies Step,
            ]),
      ];
    },
  };
}
