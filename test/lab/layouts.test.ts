/** Every layout of every plugin that needs nothing but Debian's kernel, through Cairn as its unit runs it. */
import { it } from 'vitest';
import { drivesFor, livesOf, type LayoutCase } from './layouts-case.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true });
const CASE_MS = 600_000;

const GROUPS: LayoutCase[][] = [
  [
    { plugin: 'btrfs', layout: 'raid1', drives: 2, survives: true },
    { plugin: 'btrfs', layout: 'raid10', drives: 4, survives: true },
    { plugin: 'btrfs', layout: 'single', drives: 2, survives: false },
    { plugin: 'single-drive', layout: 'single', drives: 1, survives: false },
  ],
  [
    { plugin: 'mdraid', layout: 'raid1', options: { filesystem: 'ext4' }, drives: 2, survives: true },
    { plugin: 'mdraid', layout: 'raid5', options: { filesystem: 'btrfs' }, drives: 3, survives: true },
    { plugin: 'mdraid', layout: 'raid0', options: { filesystem: 'xfs' }, drives: 2, survives: false },
  ],
  [
    { plugin: 'mdraid', layout: 'raid6', options: { filesystem: 'ext4' }, drives: 4, survives: true },
    { plugin: 'mdraid', layout: 'raid10', options: { filesystem: 'xfs' }, drives: 4, survives: true },
  ],
  [
    { plugin: 'lvm', layout: 'mirror', drives: 2, survives: true, countsNothing: true },
    {
      plugin: 'lvm',
      layout: 'raid5',
      options: { filesystem: 'xfs' },
      drives: 3,
      survives: true,
      countsNothing: true,
    },
    { plugin: 'lvm', layout: 'linear', drives: 2, survives: false },
    { plugin: 'lvm', layout: 'thin', drives: 1, survives: false },
  ],
];

it.each(
  GROUPS.map((cases) => ({ cases, names: cases.map((one) => `${one.plugin} ${one.layout}`).join(', ') })),
)(
  '$names: made, the pulled drive told within two seconds, replaced, checked, removed, content and drives as they should be',
  { timeout: CASE_MS },
  async ({ cases }) => livesOf(await lab.cairn({ drives: drivesFor(cases), wallLimitMs: CASE_MS }), cases),
);
