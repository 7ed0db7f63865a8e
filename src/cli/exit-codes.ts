/** How the command ends, for scripts. In the man page and in README; a number never changes its meaning. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  notFound: 5,
  needsYou: 6,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Record<ExitCode, string> = {
  0: 'It is done; without --wait: it is on its way.',
  1: 'It failed, or was cancelled; `doctor` found something that is broken, or a plugin has not the grade.',
  2: 'The command line is wrong, or a question could not be asked.',
  3: 'Cairn cannot be reached, is starting or is stopping.',
  4: 'It was refused: by Cairn, or by the answer to a question.',
  5: 'What was named is not there.',
  6: 'An operation waits for somebody to decide.',
};

/** What ends the command early: said on standard error. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** As in answers of Cairn; null: it did not come from there. */
  readonly code: string | null;
  readonly remedy: string | null;
  readonly details: Record<string, unknown>;

  constructor(
    exitCode: ExitCode,
    message: string,
    more: { code?: string; remedy?: string | null; details?: Record<string, unknown> } = {},
  ) {
    super(message);
    this.exitCode = exitCode;
    this.code = more.code ?? null;
    this.remedy = more.remedy ?? null;
    this.details = more.details ?? {};
  }
}
