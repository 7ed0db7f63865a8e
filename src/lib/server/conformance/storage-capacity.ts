/** Does its arithmetic hold? No layout is known here: only what is true of all of them. */
import type { Layout } from '$lib/plugin-api/storage';
import { gathered, messageOf, type Rule } from './rule';
import { countsOf, SAMPLE_DRIVE_BYTES, samplePool, type Sampled } from './samples';

const sum = (sizes: number[]): number => sizes.reduce((all, size) => all + size, 0);
const GIB = 1024 ** 3;
/** Metadata and alignment make small steps. */
const NOTICED = 0.98;

const sizesOf = (count: number, smallest: number): number[][] => [
  Array.from({ length: count }, () => SAMPLE_DRIVE_BYTES),
  Array.from({ length: count }, (_, index) => SAMPLE_DRIVE_BYTES + index * 7 * GIB + index),
  Array.from({ length: count }, (_, index) => (index === 0 ? 20 : 1) * SAMPLE_DRIVE_BYTES),
  Array.from({ length: count }, () => Math.max(smallest, 1)),
];

/** @param usable bytes of a layout, of these drives */
function problemsOf(usable: (sizes: number[]) => number, sizes: number[], tolerance: number): string[] {
  const bytes = usable(sizes);
  if (!Number.isFinite(bytes) || bytes < 0) return [`it holds ${bytes} bytes`];
  const raw = sum(sizes);
  if (bytes > raw) return ['it holds more than its drives'];
  // Any of them may be gone, so what is left of the smaller ones has to hold everything.
  const left = sizes.toSorted((a, b) => a - b).slice(0, sizes.length - tolerance);
  return [
    ...(bytes > sum(left)
      ? [`it holds more than is left when ${tolerance} of its drives fail, which it says it survives`]
      : []),
    ...(sizes.some((size, index) => usable(sizes.with(index, size * 2)) < bytes * NOTICED)
      ? ['it holds less with a larger drive']
      : []),
    ...(raw > GIB && bytes === 0 ? ['it holds nothing'] : []),
  ];
}

function layoutProblems(plugin: Sampled, layout: Layout): [string, string][] {
  return countsOf(layout)
    .filter((count) => count > 0)
    .flatMap((count): [string, string][] => {
      const sample = `${layout.id} of ${count}`;
      const tolerance = layout.tolerance(count);
      if (!Number.isInteger(tolerance) || tolerance < 0 || tolerance >= count)
        return [[sample, `it says it survives the loss of ${tolerance} of ${count} drives`]];
      const { options } = samplePool(plugin, layout, count);
      const usable = (driveSizesBytes: number[]): number =>
        plugin.usableBytes({ layout: layout.id, options, driveSizesBytes });
      try {
        return sizesOf(count, plugin.minimumDriveBytes).flatMap((sizes) =>
          problemsOf(usable, sizes, tolerance).map((problem): [string, string] => [sample, problem]),
        );
      } catch (error) {
        return [[sample, messageOf(error)]];
      }
    });
}

export const CAPACITY_RULE: Rule<Sampled> = {
  ...{ id: 'capacity', grade: 'B', title: 'counts what its layouts hold and survive' },
  judge: (plugin) => gathered(plugin.layouts.flatMap((layout) => layoutProblems(plugin, layout))),
};
