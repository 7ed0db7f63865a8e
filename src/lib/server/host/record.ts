/** The record that a supervisor writes, read back: lines of output and how the command ended. Pure. */
import { constants } from 'node:os';
import type { CommandEnd, CommandLine } from './types';

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
const ENTRY = /^([OE]) (\d+) (.*)$/s;
const END = /^X (\d+) (\d+|-) (\d+|-)$/;

const unescaped = (text: string): string =>
  text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

/**
 * What a terminal would show of one line: backspace and carriage return write over what is there (mke2fs and btrfs
 * show progress so), escape sequences vanish, other control characters become visible.
 */
export function terminalText(text: string): string {
  const cells: string[] = [];
  let column = 0;
  for (const character of text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '')) {
    if (character === '\b') column = Math.max(0, column - 1);
    else if (character === '\r') column = 0;
    else {
      const code = character.codePointAt(0) ?? 0;
      const control = (code < 0x20 && character !== '\t') || code === 0x7f;
      cells[column] = control ? `\\x${code.toString(16).padStart(2, '0')}` : character;
      column += 1;
    }
  }
  return cells.join('').trimEnd();
}

export interface RecordReader {
  /** Takes more bytes of the record and returns the lines that they complete. */
  push(bytes: Uint8Array): CommandLine[];
  /** Null until the line with the exit status has come. */
  end(): CommandEnd | null;
}

/** Reads a record piece by piece; a torn line (full disk) is passed over, never an error. */
export function createRecordReader(): RecordReader {
  const decoder = new TextDecoder();
  let rest = '';
  let end: CommandEnd | null = null;
  const read = (line: string): CommandLine[] => {
    const entry = ENTRY.exec(line);
    if (entry)
      return [
        {
          stream: entry[1] === 'O' ? 'stdout' : 'stderr',
          text: terminalText(unescaped(entry[3] ?? '')),
          at: Number(entry[2]),
        },
      ];
    const last = END.exec(line);
    if (last)
      end = {
        at: Number(last[1]),
        exitCode: last[2] === '-' ? null : Number(last[2]),
        signal: last[3] === '-' ? null : (signalNames.get(Number(last[3])) ?? `signal ${last[3]}`),
      };
    return [];
  };
  return {
    push(bytes) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      return lines.flatMap(read);
    },
    end: () => end,
  };
}
