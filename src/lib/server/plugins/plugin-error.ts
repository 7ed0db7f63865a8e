import { AppError } from '../errors';

/** What a plugin throws, as an answer of ours: a parser's complaint keeps its code, whatever copy of the class it is. */
export function pluginError(id: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const parse = thrown instanceof Error && thrown.name === 'ParseError';
  return new AppError(
    parse ? 'parse_failed' : 'bug',
    `The plugin ${id} failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    {
      cause: thrown,
      details: { plugin: id },
    },
  );
}
