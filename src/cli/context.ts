/** What every verb of the command has at hand. */
import type { Connection } from './connection';

export interface Context {
  api: Connection;
  options: { json: boolean; yes: boolean; wait: boolean };
  /** A document for scripts with --json, and what `text` gives for people. */
  show(document: unknown, text: () => string): void;
  /** A line on standard output. */
  print(text: string): void;
  /** A line on standard error: for people beside what scripts read. */
  note(text: string): void;
  /** Columns of the terminal; Infinity when there is none. */
  width: number;
  /** Somebody sits there and can be asked. */
  isInteractive: boolean;
}
