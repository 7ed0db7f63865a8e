/** What a plan says of a step's way back where no command stands for it: words, to be shown as words. */
export const UNDO_WORDS = {
  nothing: 'needs nothing of its own',
  impossible: 'cannot be taken back',
  stops: 'stops where it is; once it is done, it cannot be taken back',
} as const;

/** As the shell's own no-op: a step that Cairn does itself, in a script that can still be run. */
const NO_PROGRAM = ': ';

/** @returns the words of a step that no program is run for, as a sentence; null for a command */
export function ownWork(command: string): string | null {
  if (!command.startsWith(NO_PROGRAM) || command.includes('\n')) return null;
  const words = command.slice(NO_PROGRAM.length);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

export const isUndoWords = (undo: string): boolean => (Object.values(UNDO_WORDS) as string[]).includes(undo);
