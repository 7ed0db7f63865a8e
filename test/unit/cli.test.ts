import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/exit-codes';
import { pick } from '../../src/cli/pick';
import { inNaturalOrder, printable, properties, table } from '../../src/cli/table';

describe('a table', () => {
  const columns = [
    { title: 'NAME', of: (row: { name: string; size: string | null }) => row.name, shrinks: true },
    { title: 'SIZE', of: (row: { name: string; size: string | null }) => row.size, right: true },
  ];
  it('is as wide as the terminal: what may shrink is cut, what is not known is a dash', () => {
    const rows = [
      { name: 'a name that is long', size: '12 GiB' },
      { name: 'b', size: null },
    ];
    expect(table(columns, rows, 20).split('\n')).toEqual([
      'NAME            SIZE',
      'a name that…  12 GiB',
      'b                  –',
    ]);
    expect(table(columns, rows, Infinity)).toContain('a name that is long  12 GiB');
  });
  it('counts as people do', () => {
    expect(inNaturalOrder(['web-10', 'web-9', 'Web-1'], (name) => name)).toEqual([
      'Web-1',
      'web-9',
      'web-10',
    ]);
  });
  it('moves no cursor for what a drive or a guest calls itself', () => {
    expect(printable('disk\u001b[2J\u0007\nnext')).toBe('disk  next');
  });
  it('leaves out properties that are not known', () => {
    expect(
      properties([
        ['name', 'tank'],
        ['folder', null],
      ]),
    ).toBe('name  tank');
  });
});

describe('a name', () => {
  const pools = [
    { id: '1', label: 'tank' },
    { id: '2', label: 'Tank' },
    { id: '3', label: 'attic' },
  ];
  const by = {
    noun: 'pool',
    names: (pool: { id: string; label: string }) => [pool.id, pool.label],
    label: (pool: { label: string }) => pool.label,
  };
  it('means what is called exactly so, else what differs in capitals only', () => {
    expect(pick(pools, 'Tank', by).id).toBe('2');
    expect(pick(pools, 'ATTIC', by).id).toBe('3');
  });
  it('that means several or none is refused, with what there is', () => {
    expect(() => pick(pools, 'TANK', by)).toThrow('Several are called TANK: 1, 2.');
    try {
      pick(pools, 'att', by);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CliError);
      expect(error).toMatchObject({ exitCode: 5, remedy: 'There is: attic.' });
    }
  });
});
