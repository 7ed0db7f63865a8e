import { describe, expect, it } from 'vitest';
import { rangeOf } from '$lib/server/rest/image-file';

describe('the range of a file that is asked for', () => {
  it('is one piece of it', () => {
    expect(rangeOf('bytes=0-0', 10)).toEqual({ from: 0, to: 0 });
    expect(rangeOf('bytes=4-', 10)).toEqual({ from: 4, to: 9 });
    expect(rangeOf('bytes=4-100', 10)).toEqual({ from: 4, to: 9 });
    expect(rangeOf('bytes=-3', 10)).toEqual({ from: 7, to: 9 });
    expect(rangeOf('bytes=-100', 10)).toEqual({ from: 0, to: 9 });
  });
  it('is the whole file when it is none, or several', () => {
    for (const header of [null, '', 'bytes=-', 'bytes=1-2,4-5', 'lines=1-2'])
      expect(rangeOf(header, 10), String(header)).toBeNull();
  });
  it('lies outside when nothing of the file is in it', () => {
    for (const header of ['bytes=10-', 'bytes=5-4', 'bytes=-0'])
      expect(rangeOf(header, 10), header).toBe('outside');
    expect(rangeOf('bytes=0-', 0)).toBe('outside');
  });
});
