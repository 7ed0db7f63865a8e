/** What sits on a drive, as one word that changes with everything that could be lost. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '$lib/shared/json';
import type { NodeContent } from './signatures';
import type { KernelDrive } from './sysfs';

export const BLANK = 'blank';

/** ZFS writes its uberblocks in turns: where they lie changes every few seconds, whose they are does not. */
function settled(raw: NodeContent['raw']): NodeContent['raw'] {
  const [first] = raw.filter((signature) => signature.type === 'zfs_member');
  if (!first) return raw;
  return [...raw.filter((signature) => signature.type !== 'zfs_member'), { ...first, offset: 'anywhere' }];
}

/** Changes with everything that could be lost: signatures and their places, partitions and their sizes. */
export function contentHash(drive: KernelDrive, nodes: Map<string, NodeContent>): string {
  const raw = (name: string): NodeContent['raw'] => settled(nodes.get(name)?.raw ?? []);
  const isBlank =
    drive.partitions.length === 0 &&
    raw(drive.kernelName).length === 0 &&
    (nodes.get(drive.kernelName)?.signatures.length ?? 0) === 0;
  if (isBlank) return BLANK;
  const content = {
    signatures: raw(drive.kernelName),
    found: nodes.get(drive.kernelName)?.signatures ?? [],
    partitions: drive.partitions.map(({ kernelName, number, startBytes, sizeBytes }) => ({
      number,
      startBytes,
      sizeBytes,
      uuid: nodes.get(kernelName)?.partitionUuid ?? null,
      name: nodes.get(kernelName)?.partitionName ?? null,
      signatures: raw(kernelName),
      found: nodes.get(kernelName)?.signatures ?? [],
    })),
  };
  return createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 16);
}
