/**
 * What becomes of each drive's space in a layout, learnt from the plugin's own `usableBytes` and nothing else: a part of a
 * drive is wasted when the layout would hold as much without it. So it is right for every plugin, third-party ones too.
 */
import type { Layout, StoragePlugin } from '$lib/plugin-api/storage';
import type { Json } from '$lib/shared/json';
import type { CapacityPlan } from '$lib/shared/wire/plugins';

type Usable = (driveSizesBytes: number[]) => number;
/** Metadata and alignment make small steps: less than this of a drive is no waste. */
const NOTICED = 0.01;
const SEARCH_STEPS = 12;

/** The smallest size of drive `index` with which the others would hold as much. */
function neededOf(usable: Usable, sizes: number[], index: number): number {
  const whole = sizes[index] ?? 0;
  const goal = usable(sizes);
  const enough = (size: number): boolean => usable(sizes.with(index, Math.floor(size))) >= goal;
  if (whole === 0 || !enough(whole * (1 - NOTICED))) return whole;
  let [low, high] = [0, whole * (1 - NOTICED)];
  for (let step = 0; step < SEARCH_STEPS; step += 1) {
    const middle = (low + high) / 2;
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return Math.ceil(high);
}

/** The largest drives first: what is too much is too much on them. @returns bytes that are in use of each, in the given order */
function usedOf(usable: Usable, sizes: number[]): number[] {
  const order = sizes.map((_, index) => index).sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));
  return order.reduce((used, index) => used.with(index, neededOf(usable, used, index)), [...sizes]);
}

/** @param options validated, defaults filled in */
export function capacityPlan(
  plugin: Pick<StoragePlugin, 'usableBytes'>,
  layout: Layout,
  options: Record<string, Json>,
  driveSizesBytes: number[],
): Omit<CapacityPlan, 'toleranceText'> {
  const rawBytes = driveSizesBytes.reduce((sum, size) => sum + size, 0);
  const count = driveSizesBytes.length;
  const fits = count >= layout.minDrives && (layout.maxDrives === null || count <= layout.maxDrives);
  if (!fits)
    return {
      ...{
        rawBytes,
        usableBytes: 0,
        copiesBytes: 0,
        overheadBytes: 0,
        wastedBytes: rawBytes,
        tolerance: 0,
        fits,
      },
      drives: driveSizesBytes.map((sizeBytes) => ({
        sizeBytes,
        usableBytes: 0,
        copiesBytes: 0,
        wastedBytes: sizeBytes,
      })),
    };
  const usable: Usable = (sizes) =>
    plugin.usableBytes({ layout: layout.id, options, driveSizesBytes: sizes });
  const usableBytes = Math.min(rawBytes, usable(driveSizesBytes));
  const used = usedOf(usable, driveSizesBytes);
  const usedBytes = used.reduce((sum, size) => sum + size, 0);
  const tolerance = layout.tolerance(count);
  const rest = Math.max(0, usedBytes - usableBytes);
  const share = usedBytes === 0 ? 0 : Math.min(1, usableBytes / usedBytes);
  return {
    ...{ rawBytes, usableBytes, wastedBytes: rawBytes - usedBytes, tolerance, fits },
    copiesBytes: tolerance > 0 ? rest : 0,
    overheadBytes: tolerance > 0 ? 0 : rest,
    drives: driveSizesBytes.map((sizeBytes, index) => {
      const own = used[index] ?? 0;
      return {
        sizeBytes,
        usableBytes: own * share,
        copiesBytes: own * (1 - share),
        wastedBytes: sizeBytes - own,
      };
    }),
  };
}
