/** Pools and machines that are asked about: what a plugin gives for them is judged, and nothing of it is run. */
import { optionsSchema } from '$lib/plugin-api/fields';
import type { Layout, PoolDrive, PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { Json } from '$lib/shared/json';
import type { VmOrigin, VmSpec } from '$lib/plugin-api/vm';

const GIB = 1024 ** 3;
export const SAMPLE_DRIVE_BYTES = 64 * GIB;
const GUID = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
export const OTHER_GUID = '16fd2706-8baf-433b-82eb-8c7fada847da';
/** Labels that Cairn takes, and tools stumble over. */
export const ODD_LABELS = ['Größe 1.5 TB_名', '٣ صور', 'a b.c-d', 'X'.repeat(32), '1'];

/** A plugin, and values for options whose defaults alone make no pool, of each layout. */
export type Sampled = StoragePlugin & { sampleOptions?: Record<string, Record<string, Json>> };

export const sampleDrive = (slot: number, more: Partial<PoolDrive> = {}): PoolDrive => ({
  ...{ id: `drive-sample-${slot}`, serial: `SERIAL-${slot}`, label: `bay ${slot + 1}` },
  ...{ sizeBytes: SAMPLE_DRIVE_BYTES, slot, contentHash: 'blank', partitions: [], present: true },
  ...more,
});

/** As few drives as it takes, and up to three more. */
export function countsOf({ minDrives, maxDrives }: Layout): number[] {
  const most = Math.min(maxDrives ?? Infinity, minDrives + 3);
  return Array.from({ length: most - minDrives + 1 }, (_, more) => minDrives + more);
}

export function samplePool(
  plugin: Pick<Sampled, 'options' | 'sampleOptions'>,
  layout: Layout,
  count: number,
  more: { drive?: Partial<PoolDrive>; spec?: Partial<PoolSpec> } = {},
): PoolSpec {
  const secrets = Object.values(plugin.options).some(({ type }) => type === 'secret');
  return {
    ...{ guid: GUID, label: 'Photos', layout: layout.id },
    options: optionsSchema(plugin.options).parse(
      plugin.sampleOptions?.[layout.id] ?? {},
    ) as PoolSpec['options'],
    ...{ mountPath: '/mnt/photos', mountPathExisted: false },
    drives: Array.from({ length: count }, (_, slot) => sampleDrive(slot, more.drive)),
    ...(secrets ? { facts: { secretsPath: '/var/lib/cairn/pool-secrets/sample' } } : {}),
    ...more.spec,
  };
}

export interface SamplePool {
  title: string;
  layout: Layout;
  spec: PoolSpec;
}
/** Of each layout one with as few drives as it takes, and one with more. */
export const samplePools = (
  plugin: Pick<Sampled, 'options' | 'layouts' | 'sampleOptions'>,
  more?: Parameters<typeof samplePool>[3],
): SamplePool[] =>
  plugin.layouts.flatMap((layout) => {
    const counts = countsOf(layout);
    return [...new Set([counts[0] ?? 0, counts.at(-1) ?? 0])].map((count) => ({
      ...{ title: `${layout.id} of ${count} ${count === 1 ? 'drive' : 'drives'}`, layout },
      spec: samplePool(plugin, layout, count, more),
    }));
  });

const FOLDER = '/mnt/photos/machines/web';
export const sampleVm = (more: Partial<VmSpec> = {}): VmSpec => ({
  ...{ id: GUID, name: 'web', cpus: 2, memoryBytes: GIB, virtType: 'kvm', folder: FOLDER },
  ...{ diskPath: `${FOLDER}/disk.qcow2`, diskBytes: 10 * GIB, seedPath: null, cdPath: null, asRoot: false },
  ...more,
});
export const EMPTY_ORIGIN: VmOrigin = { image: null, seed: null };
