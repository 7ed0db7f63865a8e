/** Words and lines for a POSIX shell: only shown and exported, never run by Cairn. */

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;
/** One word for a POSIX shell. */
export const shellWord = (word: string): string =>
  PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
export const shellLine = (...words: string[]): string => words.map(shellWord).join(' ');
