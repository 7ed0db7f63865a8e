/** QEMU's tool for disks in files: how it is asked what a disk is. */
import type { PluginContext, VmDisk } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';

export const QEMU_IMG = '/usr/bin/qemu-img';

/** `--force-share`: also while its machine runs, which keeps others from writing, not from reading. */
export const diskQuestion = (path: string): string[] => [
  ...['info', '--output=json', '--force-share', '-f', 'qcow2', path],
];

/** What its guest sees, bytes; what the file takes is less. @throws Error when it does not tell */
export function parseDiskSize(json: string): number {
  const size = (JSON.parse(json) as { 'virtual-size'?: unknown })['virtual-size'];
  if (typeof size !== 'number') throw new Error('it does not tell the size');
  return size;
}

export const readDiskSize =
  (sdk: PluginSdk) =>
  async (context: PluginContext, { path }: Pick<VmDisk, 'path'>): Promise<number> => {
    const { stdout } = await context.read(QEMU_IMG, diskQuestion(path));
    return sdk.defineParser('qemu-img info', parseDiskSize)(stdout);
  };
