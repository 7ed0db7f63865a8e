/** What is done to the disks of a machine that is there. Pure. */
import { posix } from 'node:path';
import type { ExecAction, Look, Step, VmDisk, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, run } from './domain-steps';
import { diskXml, targetOf } from './domain-xml';
import { QEMU_IMG } from './qemu-img';

/**
 * Of one that is on its own QEMU writes the new size, and tells the guest. It would make a disk smaller as well, and cut off what
 * is on it, without a word: only the look before it keeps it from that.
 */
export const planGrow = (spec: VmSpec, { path }: VmDisk, sizeBytes: number, isOn: boolean): Step[] => [
  {
    name: 'grow-disk',
    title: `Make ${posix.basename(path)} larger`,
    run: isOn
      ? run('blockresize', spec.id, path, `${sizeBytes}B`)
      : {
          do: 'exec',
          program: QEMU_IMG,
          argv: ['resize', '-q', '-f', 'qcow2', path, String(sizeBytes)],
        },
    // Its guest may use the new room at once: it is never taken away again.
    undo: [],
    look: look('disk-size', { path, is: sizeBytes }),
  },
];

/** `--config`: whenever it is started; `--live`: now. */
type Where = '--config' | '--live';

/**
 * libvirt changes this one device and leaves the rest of the definition as it is. It finds the disk to be taken away by its
 * target alone: the look before makes sure that it is this file.
 */
const parts = (sdk: PluginSdk, { id }: VmSpec, disk: VmDisk) => {
  const stdin = diskXml(sdk, disk);
  const args = { id, target: targetOf(disk), path: disk.path };
  const act = (verb: string, where: Where): ExecAction => ({
    ...run(verb, id, '/dev/stdin', where),
    stdin,
  });
  return {
    attach: (where: Where) => act('attach-device', where),
    detach: (where: Where) => act('detach-device', where),
    has: (where: Where): Look => look('disk', { ...args, config: where === '--config' }),
  };
};

export const planAdd =
  (sdk: PluginSdk) =>
  (spec: VmSpec, disk: VmDisk, isOn: boolean): Step[] => {
    const { path, sizeBytes } = disk;
    const { attach, detach, has } = parts(sdk, spec, disk);
    const plugIn: Step = {
      name: 'plug-in',
      title: 'Plug it in now',
      run: attach('--live'),
      // Its guest may use it at once, and would have to let go of it.
      undo: [],
      look: has('--live'),
    };
    return [
      {
        name: 'make-volume',
        title: 'Make an empty disk',
        run: {
          do: 'exec',
          program: QEMU_IMG,
          argv: ['create', '-q', '-f', 'qcow2', path, String(sizeBytes)],
        },
        undo: [{ do: 'remove-file', path }],
        look: look('volume', { path, sizeBytes }),
      },
      {
        name: 'attach',
        title: 'Give the machine the disk, whenever it is started',
        run: attach('--config'),
        undo: [detach('--config')],
        look: has('--config'),
      },
      ...(isOn ? [plugIn] : []),
    ];
  };

export const planRemove =
  (sdk: PluginSdk) =>
  (spec: VmSpec, disk: VmDisk, untilMs: number | null): Step[] => {
    const { path } = disk;
    const { attach, detach, has } = parts(sdk, spec, disk);
    const unplug = (endMs: number): Step[] => [
      {
        name: 'unplug',
        title: 'Ask the guest to let go of it',
        run: detach('--live'),
        undo: [attach('--live')],
        // libvirt waits five seconds for the guest; one that is busy takes longer.
        look: { ...sdk.not(has('--live')), fleeting: true },
      },
      {
        name: 'wait-for-guest',
        title: 'Give it time to let go',
        run: { do: 'wait' },
        undo: 'nothing',
        look: look('let-go', { id: spec.id, path, untilMs: endMs }),
      },
    ];
    return [
      {
        name: 'detach',
        title: 'Let the machine start without the disk from now on',
        run: detach('--config'),
        undo: [attach('--config')],
        look: sdk.not(has('--config')),
      },
      ...(untilMs === null ? [] : unplug(untilMs)),
      {
        name: 'remove-volume',
        title: `Delete ${posix.basename(path)}`,
        run: { do: 'remove-file', path },
        undo: 'impossible',
        look: sdk.not(sdk.looks.fileThere(path)),
      },
    ];
  };
