/** What is done to the disks of a machine that is there. Pure. */
import { posix } from 'node:path';
import type { Step, VmDisk, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, run } from './domain-steps';
import { diskXml, targetOf } from './domain-xml';
import { giveSteps, takeSteps, type Pluggable } from './plan-plug';
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

/** QEMU plugs nothing into a SATA controller while it is on. */
export const whyOff = ({ devices }: VmSpec): string | null =>
  devices === 'common' ? 'Its disks are SATA disks, which come and go only while it is off.' : null;

/** libvirt finds the disk to be taken away by its target alone: the look makes sure that it is this file. */
const pluggable = (sdk: PluginSdk, spec: VmSpec, disk: VmDisk): Pluggable => ({
  ...{ id: spec.id, noun: 'disk', xml: diskXml(sdk, spec, disk) },
  has: { look: 'disk', args: { target: targetOf(disk), path: disk.path } },
});

export const planAdd =
  (sdk: PluginSdk) =>
  (spec: VmSpec, disk: VmDisk, isOn: boolean): Step[] => {
    const { path, sizeBytes } = disk;
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
      ...giveSteps(pluggable(sdk, spec, disk), isOn),
    ];
  };

export const planRemove =
  (sdk: PluginSdk) =>
  (spec: VmSpec, disk: VmDisk, untilMs: number | null): Step[] => [
    ...takeSteps(sdk, pluggable(sdk, spec, disk), untilMs),
    {
      name: 'remove-volume',
      title: `Delete ${posix.basename(disk.path)}`,
      run: { do: 'remove-file', path: disk.path },
      undo: 'impossible',
      look: sdk.not(sdk.looks.fileThere(disk.path)),
    },
  ];
