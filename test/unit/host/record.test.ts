import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRecordReader, terminalText } from '$lib/server/host/record';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a record gives its lines in order, and how the command ended', () => {
  const reader = createRecordReader();
  expect(reader.push(bytes('O 1000 one\nE 1001 two\nX 1002 3 -\n'))).toEqual([
    { stream: 'stdout', text: 'one', at: 1000 },
    { stream: 'stderr', text: 'two', at: 1001 },
  ]);
  expect(reader.end()).toEqual({ at: 1002, exitCode: 3, signal: null });
});

test('a record without an end says that nobody wrote how the command ended', () => {
  const reader = createRecordReader();
  reader.push(bytes('O 1000 one\nO 1001 tw'));
  expect(reader.end()).toBeNull();
});

test('a signal is told by its name', () => {
  const reader = createRecordReader();
  reader.push(bytes('X 1 - 15\n'));
  expect(reader.end()).toEqual({ at: 1, exitCode: null, signal: 'SIGTERM' });
});

test('a line torn by a full disk is passed over and the end is still found', () => {
  const reader = createRecordReader();
  expect(reader.push(bytes('O 10\nX 1002 0 -\n'))).toEqual([]);
  expect(reader.end()?.exitCode).toBe(0);
});

test('no line is lost or changed, however the record arrives in pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-zäöü€ ]*[a-z]$/)),
      fc.integer({ min: 1, max: 7 }),
      (texts, size) => {
        const record = bytes(texts.map((text) => `O 5 ${text}\n`).join(''));
        const reader = createRecordReader();
        const lines = [];
        for (let at = 0; at < record.length; at += size)
          lines.push(...reader.push(record.slice(at, at + size)));
        expect(lines.map((line) => line.text)).toEqual(texts);
      },
    ),
  );
});

test.each([
  [
    'progress written over itself shows its last state',
    'Writing tables:  0/16\b\b\b\b\b     \b\b\b\b\bdone',
    'Writing tables: done',
  ],
  ['a carriage return starts the line anew', ' 10%\r 100%', ' 100%'],
  ['colours vanish', '\x1b[31mred\x1b[0m', 'red'],
  ['other control characters become visible', 'a\x01b', 'a\\x01b'],
])('%s', (_, text, shown) => {
  expect(terminalText(text)).toBe(shown);
});
