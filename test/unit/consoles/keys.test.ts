import { describe, expect, it } from 'vitest';
import { edits, keyFor, untypable, withControl } from '$lib/features/consoles/keys';

describe('a text as keys of a US keyboard', () => {
  it('has every printable character of ASCII, each on one key', () => {
    const characters = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
    expect(untypable(characters.join(''))).toEqual([]);
    const places = characters.map((character) => {
      const key = keyFor(character);
      return `${key?.code} ${key?.shift}`;
    });
    expect(new Set(places).size).toBe(95);
  });
  it.each([
    ['a', 0x61, 'KeyA', false],
    ['A', 0x41, 'KeyA', true],
    ['!', 0x21, 'Digit1', true],
    [')', 0x29, 'Digit0', true],
    ['0', 0x30, 'Digit0', false],
    ['\\', 0x5c, 'Backslash', false],
    ['\n', 0xff0d, 'Enter', false],
  ])('%j is keysym %i on %s', (character, keysym, code, shift) => {
    expect(keyFor(character)).toEqual({ keysym, code, shift });
  });
  it('tells what it does not have, once each', () => {
    expect(untypable('größer, größer €\r\n')).toEqual(['ö', 'ß', '€']);
  });
});

describe('what a phone has typed', () => {
  it.each([
    ['', 'a', { back: 0, text: 'a' }],
    ['hel', 'hello', { back: 0, text: 'lo' }],
    ['hello', 'hell', { back: 1, text: '' }],
    ['teh', 'the', { back: 2, text: 'he' }],
    ['same', 'same', { back: 0, text: '' }],
  ])('from %j to %j', (before, after, typed) => {
    expect(edits(before, after)).toEqual(typed);
  });
});

it('Control makes control characters of letters, and of nothing else', () => {
  expect(withControl('c')).toBe('\x03');
  expect(withControl('C')).toBe('\x03');
  expect(withControl('[')).toBe('\x1b');
  expect(withControl('5')).toBe('5');
});
