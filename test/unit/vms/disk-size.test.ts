import { expect, it } from 'vitest';
import { proposedDiskBytes } from '$lib/shared/vm-disk-size';

const GIB = 1024 ** 3;
const proposed = (virtualGib: number, minGib: number | null, freeGib?: number): number =>
  proposedDiskBytes(
    { virtualBytes: virtualGib * GIB, minDiskBytes: minGib === null ? null : minGib * GIB },
    freeGib === undefined ? undefined : freeGib * GIB,
  ) / GIB;

it.each([
  // What is usual, and never less than the image brings and its system asks for.
  [[0, null], 10],
  [[3, 4], 10],
  [[3, 12], 12],
  [[20, null], 22],
  [[20.2, null], 23],
  // As much as is asked for besides it, in whole gibibytes.
  [[3, null, 0], 3],
  [[3.5, null, 0], 4],
  [[2.2, null, 5], 8],
  [[1, 4, 1], 4],
  [[0, null, 0], 1],
] as [Parameters<typeof proposed>, number][])('an image and its wish, in GiB, %j get %d', (ask, size) => {
  expect(proposed(...ask)).toBe(size);
});
