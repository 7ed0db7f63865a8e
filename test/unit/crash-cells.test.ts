import { describe, expect, it } from 'vitest';
import { casesOf, notMet, type JournalStep, type Scenario } from '../crash/cases';

const scenario = (kind: string): Scenario => ({
  title: kind,
  kind,
  setUp: async () => {},
  begin: async () => {},
  backward: true,
});
const mount = (path: string): JournalStep => ({
  name: 'mount',
  run: { do: 'mount', source: '/dev/x', path, fstype: 'ext4', options: [] } as unknown as JournalStep['run'],
  undo: [{ do: 'unmount', path }],
});
const format = (program: string): JournalStep => ({
  name: 'format',
  run: { do: 'exec', program, args: [] } as unknown as JournalStep['run'],
  undo: 'nothing',
});
const namesOf = (cases: { cell: string }[]): string[] => cases.map(({ cell }) => cell);

describe('the cells of the crash matrix', () => {
  it('are all there for a kind of step that is new', () => {
    const cases = casesOf(scenario('pool.create'), [format('mkfs.ext4'), mount('/a')]);
    expect(notMet(cases, new Set(), false)).toEqual(cases);
  });

  it('are those that depend on the plan around them for a step that another plan has met', () => {
    const met = new Set<string>();
    notMet(casesOf(scenario('pool.create'), [mount('/a'), format('mkfs.ext4')]), met, false);
    const again = notMet(casesOf(scenario('pool.mount'), [mount('/b')]), met, false);
    expect(namesOf(again)).toEqual([
      'whole ending',
      'mount child-running both',
      'mount acted alone',
      'mount undo-child-running both',
      'mount undo-acted alone',
    ]);
  });

  it('are all there when another program does it', () => {
    const met = new Set<string>();
    notMet(casesOf(scenario('pool.create'), [format('mkfs.ext4'), mount('/a')]), met, false);
    const again = namesOf(
      notMet(casesOf(scenario('pool.create'), [format('mkfs.xfs'), mount('/a')]), met, false),
    );
    expect(again).toContain('format begun alone');
    expect(again).not.toContain('mount begun alone');
  });

  it('are all there when they are asked for', () => {
    const met = new Set<string>();
    const cases = casesOf(scenario('pool.create'), [format('mkfs.ext4'), mount('/a')]);
    notMet(cases, met, true);
    expect(notMet(cases, met, true)).toEqual(cases);
  });
});
