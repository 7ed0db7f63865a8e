/** Volumes that a machine is made with besides its first disk, with a filesystem in them where that is asked for. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type {
  JsonObject,
  LookResult,
  PluginContext,
  Step,
  VmDisk,
  VmFormat,
  VmOrigin,
  VmPackedDisk,
  VmSpec,
} from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look } from './domain-steps';
import { QEMU_IMG } from './qemu-img';

export const MKFS = { ext4: '/usr/sbin/mkfs.ext4', xfs: '/usr/sbin/mkfs.xfs' } as const;
const MINUTE_MS = 60_000;

/** While it is made: mkfs knows nothing of qcow2. */
const rawOf = ({ path }: VmDisk): string => path.replace(/\.qcow2$/, '.raw');

function mkfs({ type, label, uuid }: VmFormat, path: string): string[] {
  // Nothing is left to the guest to be done later, and what is empty stays a hole in the file.
  const ext4 = [
    '-q',
    '-F',
    '-E',
    'lazy_itable_init=0,lazy_journal_init=0',
    '-L',
    label,
    '-U',
    uuid,
    '--',
    path,
  ];
  return type === 'ext4' ? ext4 : ['-q', '-f', '-L', label, '-m', `uuid=${uuid}`, path];
}

function formatted(sdk: PluginSdk, disk: VmDisk, format: VmFormat): Step[] {
  const { slot, path, sizeBytes } = disk;
  const raw = rawOf(disk);
  const gone = sdk.not(sdk.looks.fileThere(raw));
  return [
    {
      name: `make-volume-${slot}`,
      title: `Create secondary volume ${slot}`,
      run: { do: 'make-sparse-file', path: raw, sizeBytes },
      undo: [{ do: 'remove-file', path: raw }],
      look: sdk.looks.sparseFile(raw, sizeBytes),
    },
    {
      name: `format-volume-${slot}`,
      title: `Create secondary volume ${slot}: make an ${format.type} filesystem "${format.label}" in it`,
      run: { do: 'exec', program: MKFS[format.type], argv: mkfs(format, raw), timeoutMs: 10 * MINUTE_MS },
      undo: 'nothing',
      look: look('formatted', { path: raw, type: format.type, uuid: format.uuid }),
    },
    {
      name: `convert-volume-${slot}`,
      title: `Create secondary volume ${slot}: make a disk of it`,
      run: {
        ...{ do: 'exec', program: QEMU_IMG, timeoutMs: 30 * MINUTE_MS },
        argv: ['convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, path],
      },
      undo: [{ do: 'remove-file', path }],
      look: look('volume', { path, sizeBytes }),
    },
    {
      name: `remove-raw-${slot}`,
      title: `Create secondary volume ${slot}: remove what it was made from`,
      run: { do: 'remove-file', path: raw },
      undo: 'nothing',
      look: gone,
    },
  ];
}

const empty = ({ slot, path, sizeBytes }: VmDisk): Step => ({
  name: `make-volume-${slot}`,
  title: `Create secondary volume ${slot}, empty`,
  run: { do: 'exec', program: QEMU_IMG, argv: ['create', '-q', '-f', 'qcow2', path, String(sizeBytes)] },
  undo: [{ do: 'remove-file', path }],
  look: look('volume', { path, sizeBytes }),
});

/** A copy of what lies in a package of somebody else's, and then its size: a disk may be larger than what it begins as. */
export const unpacked = (sdk: PluginSdk, { slot, path, sizeBytes }: VmDisk, from: VmPackedDisk): Step[] => [
  {
    name: slot === 1 ? 'copy-image' : `copy-image-${slot}`,
    title: `Copy disk ${slot} out of the package`,
    run: {
      ...{ do: 'exec', program: QEMU_IMG, timeoutMs: 240 * MINUTE_MS, follow: true },
      argv: ['convert', '-p', '-O', 'qcow2', from.name, path],
    },
    undo: [{ do: 'remove-file', path }],
    // How far it is; whether it is a disk says the look of the next step.
    look: { look: 'converted', args: { path, sourceBytes: from.virtualBytes } },
  },
  {
    name: slot === 1 ? 'size-volume' : `size-volume-${slot}`,
    title: `Give disk ${slot} its size`,
    run: { do: 'exec', program: QEMU_IMG, argv: ['resize', '-q', '-f', 'qcow2', path, String(sizeBytes)] },
    undo: 'nothing',
    look: look('volume', { path, sizeBytes }),
  },
];

export const volumeSteps = (
  sdk: PluginSdk,
  { moreDisks = [] }: VmSpec,
  { formats = [], packed = [] }: VmOrigin,
): Step[] =>
  moreDisks.flatMap((disk) => {
    const from = packed.find(({ slot }) => slot === disk.slot);
    if (from) return unpacked(sdk, disk, from);
    const format = formats.find(({ slot }) => slot === disk.slot);
    return format ? formatted(sdk, disk, format) : [empty(disk)];
  });

/** Its superblock (kernel.org ext4 layout; xfs_format.h): magic and UUID; xfs says too whether mkfs has ended. */
const SUPERBLOCKS = {
  ext4: { magic: { at: 1_080, bytes: [0x53, 0xef] }, uuidAt: 1_128 },
  xfs: { magic: { at: 0, bytes: [...Buffer.from('XFSB')] }, uuidAt: 32 },
};
const XFS_IN_PROGRESS_AT = 126;

const uuidText = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

function headOf(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(2_048);
    readSync(file, head, 0, head.length, 0);
    return head;
  } finally {
    closeSync(file);
  }
}

/** What is half made is made anew: the file is nobody else's. */
export async function formattedLook(_context: PluginContext, args: JsonObject): Promise<LookResult> {
  const path = String(args['path']);
  const type = args['type'] === 'xfs' ? 'xfs' : 'ext4';
  if (!existsSync(path)) return { status: 'absent', evidence: `There is no ${path}.` };
  const head = headOf(path);
  const { magic, uuidAt } = SUPERBLOCKS[type];
  const isIt =
    magic.bytes.every((byte, index) => head[magic.at + index] === byte) &&
    uuidText(head.subarray(uuidAt, uuidAt + 16)) === args['uuid'];
  const isWhole = isIt && (type === 'ext4' || head[XFS_IN_PROGRESS_AT] === 0);
  return isWhole
    ? { status: 'done', evidence: `The filesystem ${type} is in ${path}.` }
    : { status: 'absent', evidence: `The filesystem ${type} is not in ${path}.` };
}
