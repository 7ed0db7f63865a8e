/** Characters and names as keys of a US keyboard, for RFB: keysyms (X11 keysymdef.h) and codes of the keys (UI Events). */

export interface Key {
  keysym: number;
  /** The place on the keyboard; QEMU goes by it where it is known. */
  code: string;
  shift: boolean;
}

const plain = (keysym: number, code: string): Key => ({ keysym, code, shift: false });
export const NAMED_KEYS = {
  Escape: plain(0xff1b, 'Escape'),
  Tab: plain(0xff09, 'Tab'),
  Enter: plain(0xff0d, 'Enter'),
  Backspace: plain(0xff08, 'Backspace'),
  Delete: plain(0xffff, 'Delete'),
  ArrowLeft: plain(0xff51, 'ArrowLeft'),
  ArrowUp: plain(0xff52, 'ArrowUp'),
  ArrowRight: plain(0xff53, 'ArrowRight'),
  ArrowDown: plain(0xff54, 'ArrowDown'),
  ShiftLeft: plain(0xffe1, 'ShiftLeft'),
  ControlLeft: plain(0xffe3, 'ControlLeft'),
  AltLeft: plain(0xffe9, 'AltLeft'),
} as const;
export type NamedKey = keyof typeof NAMED_KEYS;

/** Keys that give a character, without Shift and with it. */
const PRINTING: [code: string, plain: string, shifted: string][] = [
  ['Space', ' ', ''],
  ['Backquote', '`', '~'],
  ['Minus', '-', '_'],
  ['Equal', '=', '+'],
  ['BracketLeft', '[', '{'],
  ['BracketRight', ']', '}'],
  ['Backslash', '\\', '|'],
  ['Semicolon', ';', ':'],
  ['Quote', "'", '"'],
  ['Comma', ',', '<'],
  ['Period', '.', '>'],
  ['Slash', '/', '?'],
  ...[...')!@#$%^&*('].map((shifted, digit): [string, string, string] => [
    `Digit${digit}`,
    String(digit),
    shifted,
  ]),
  ...[...'abcdefghijklmnopqrstuvwxyz'].map((letter): [string, string, string] => [
    `Key${letter.toUpperCase()}`,
    letter,
    letter.toUpperCase(),
  ]),
];
const BY_CHARACTER = new Map<string, Key>(
  PRINTING.flatMap(([code, bare, shifted]) =>
    [
      { character: bare, shift: false },
      { character: shifted, shift: true },
    ]
      .filter(({ character }) => character !== '')
      .map(({ character, shift }): [string, Key] => [
        character,
        // Of ASCII and Latin-1 the keysym is the character itself.
        { keysym: character.charCodeAt(0), code, shift },
      ]),
  ),
);
BY_CHARACTER.set('\n', NAMED_KEYS.Enter).set('\t', NAMED_KEYS.Tab);

/** @returns null for a character that a US keyboard does not have */
export const keyFor = (character: string): Key | null => BY_CHARACTER.get(character) ?? null;

/** Lines end with Enter, whatever system the text comes from. */
export const charactersOf = (text: string): string[] => [...text.replaceAll(/\r\n?/g, '\n')];

/** Those that cannot be typed, each once. */
export const untypable = (text: string): string[] => [
  ...new Set(charactersOf(text).filter((character) => !keyFor(character))),
];

/** What to type so that a field that held `before` holds `after`: so many times back, and then this text. */
export function edits(before: string, after: string): { back: number; text: string } {
  const [old, now] = [[...before], [...after]];
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same]) same += 1;
  return { back: old.length - same, text: now.slice(same).join('') };
}

/** The byte that a terminal gets for a letter with Control (ECMA-48): Ctrl+C is 3. */
export const withControl = (text: string): string =>
  text.replaceAll(/[@-_a-z]/g, (character) =>
    String.fromCharCode(character.toUpperCase().charCodeAt(0) & 31),
  );

/** What a terminal sends for a key that gives no character (xterm's control sequences, normal cursor keys). */
export const TERMINAL_KEYS: Partial<Record<NamedKey, string>> = {
  Escape: '\x1b',
  Tab: '\t',
  Enter: '\r',
  Backspace: '\x7f',
  ArrowUp: '\x1b[A',
  ArrowDown: '\x1b[B',
  ArrowRight: '\x1b[C',
  ArrowLeft: '\x1b[D',
};
