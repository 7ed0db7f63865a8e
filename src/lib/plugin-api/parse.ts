/** Parsers of tool output: text in, data out, no decisions. What is not understood is an error, never "nothing there". */

/** The registry turns it into the answer `parse_failed`. `name` is what it is known by: a plugin may have a copy. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  readonly tool: string;
  /** The first 500 characters of what the tool said. */
  readonly text: string;

  constructor(tool: string, reason: string, text: string) {
    super(`${tool} said something that is not understood: ${reason}`);
    this.tool = tool;
    this.text = text.slice(0, 500);
  }
}

export type Parser<T> = (text: string) => T;

/**
 * Wraps a parser so that whatever it throws names the tool and keeps what the tool said.
 * @param tool the program and, where known, its version: `btrfs filesystem show`
 */
export function defineParser<T>(tool: string, parse: (text: string) => T): Parser<T> {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new ParseError(tool, error instanceof Error ? error.message : String(error), text);
    }
  };
}
