/** Every layout of ZFS, through Cairn as its unit runs it. */
import { it } from 'vitest';
import { drivesFor, livesOf, type LayoutCase } from './layouts-case.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ zfs: true, cairn: true });
const CASE_MS = 600_000;
const zfs = (layout: string, drives: number): LayoutCase => ({
  plugin: 'zfs',
  layout,
  drives,
  survives: layout !== 'stripe',
});

it.each([
  { cases: [zfs('mirror', 2), zfs('raidz1', 3), zfs('stripe', 1)], names: 'mirror, raidz1, stripe' },
  { cases: [zfs('raidz2', 4), zfs('raidz3', 5)], names: 'raidz2, raidz3' },
])(
  '$names: made, the pulled drive told within two seconds, replaced, checked, removed, content and drives as they should be',
  { timeout: CASE_MS },
  async ({ cases }) => livesOf(await lab.cairn({ drives: drivesFor(cases), wallLimitMs: CASE_MS }), cases),
);
