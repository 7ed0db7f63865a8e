import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { casesOf, claimIn, notMet, type Claim, type JournalStep, type Scenario } from '../crash/cases';

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
/** As claimIn does it, without a folder. */
function claims(): Claim {
  const met = new Set<string>();
  return (meets) => !met.has(meets) && met.add(meets).has(meets);
}
const namesOf = (cases: { cell: string }[]): string[] => cases.map(({ cell }) => cell);

describe('the cells of the crash matrix', () => {
  it('are all there for a kind of step that is new', () => {
    const cases = casesOf(scenario('pool.create'), [format('mkfs.ext4'), mount('/a')]);
    expect(notMet(cases, claims(), false)).toEqual(cases);
  });

  it('are those that depend on the plan around them for a step that another plan has met', () => {
    const claim = claims();
    notMet(casesOf(scenario('pool.create'), [mount('/a'), format('mkfs.ext4')]), claim, false);
    const again = notMet(casesOf(scenario('pool.mount'), [mount('/b')]), claim, false);
    expect(namesOf(again)).toEqual([
      'whole ending',
      'mount child-running both',
      'mount acted alone',
      'mount undo-child-running both',
      'mount undo-acted alone',
    ]);
  });

  it('are met once by all files of a run, whichever comes first', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-met-'));
    try {
      expect([claimIn(folder)('mount: begun'), claimIn(folder)('mount: begun')]).toEqual([true, false]);
      expect(claimIn(folder)('mount: acted')).toBe(true);
      expect(() => claimIn(join(folder, 'gone'))('mount: begun')).toThrow(/ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are there again where the program matters when another one does it', () => {
    const claim = claims();
    notMet(casesOf(scenario('pool.create'), [format('mkfs.ext4'), mount('/a')]), claim, false);
    const again = namesOf(
      notMet(casesOf(scenario('pool.create'), [format('mkfs.xfs'), mount('/a')]), claim, false),
    );
    expect(again).toContain('format child-running alone');
    expect(again).not.toContain('mount child-running alone');
  });

  it('are met once for all programs where only the journal moves, unless what is made is now taken away', () => {
    const claim = claims();
    notMet(casesOf(scenario('pool.create'), [format('mkfs.ext4')]), claim, false);
    const made = casesOf(scenario('pool.create'), [format('mkfs.xfs')]);
    expect(namesOf(notMet(made, claim, false))).not.toContain('format begun alone');
    const taken = casesOf({ ...scenario('pool.destroy'), backward: false }, [format('wipefs')]);
    expect(namesOf(notMet(taken, claim, false))).toEqual(
      expect.arrayContaining(['format begun alone', 'format child-started both', 'format done alone']),
    );
  });

  it('are all there when they are asked for', () => {
    const claim = claims();
    const cases = casesOf(scenario('pool.create'), [format('mkfs.ext4'), mount('/a')]);
    notMet(cases, claim, true);
    expect(notMet(cases, claim, true)).toEqual(cases);
  });
});
