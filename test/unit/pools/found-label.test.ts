import { describe, expect, it } from 'vitest';
import { labelFor } from '$lib/server/pools/found-document';
import { labelIssues } from '$lib/shared/names';

const GUID = 'abcdef01-2222-4333-8444-555555555501';
const free = (): boolean => false;

describe('the label of a found pool', () => {
  it.each([
    ['photos', 'photos'],
    ['my tank', 'my tank'],
    ['/weird:name!', 'weird name'],
    ['', 'pool-abcdef01'],
    ['***', 'pool-abcdef01'],
    ['x'.repeat(80), 'x'.repeat(32)],
  ])('%j becomes %j', (wanted, label) => {
    expect(labelFor(wanted, GUID, free)).toBe(label);
    expect(labelIssues(labelFor(wanted, GUID, free))).toEqual([]);
  });
  it('gets a number when another pool has it, and stays short enough', () => {
    const taken = new Set(['photos', 'photos-2', 'x'.repeat(32)]);
    expect(labelFor('photos', GUID, (label) => taken.has(label))).toBe('photos-3');
    expect(labelFor('x'.repeat(32), GUID, (label) => taken.has(label))).toBe(`${'x'.repeat(30)}-2`);
  });
});
