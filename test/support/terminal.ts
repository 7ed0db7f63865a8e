/** A command at a terminal of its own (a pty, by script(1) of util-linux): with colours, a width, and somebody who types. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { shellLine } from '$lib/server/host/shell-word';

export interface Terminal {
  /** All that was written to it, as it came. */
  raw(): string;
  /** Without colours and movements of the cursor. */
  text(): string;
  type(keys: string): void;
  /** Resolves when this has been written, after what was met before. @throws Error when it is not within ten seconds */
  sees(pattern: RegExp): Promise<void>;
  /** How the command ended. */
  ended: Promise<number | null>;
}
const PATIENCE_MS = 10_000;

export function atTerminal(
  words: string[],
  { columns = 100, env = {} }: { columns?: number; env?: Record<string, string> } = {},
): Terminal {
  const command = `stty cols ${columns} rows 30 && exec ${shellLine(...words)}`;
  const child = spawn(
    '/usr/bin/script',
    ['--quiet', '--return', '--flush', '--command', command, '/dev/null'],
    {
      env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  let output = '';
  let met = 0;
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    raw: () => output,
    text: () => stripVTControlCharacters(output),
    type: (keys) => void child.stdin.write(keys),
    async sees(pattern) {
      for (let left = PATIENCE_MS; left > 0; left -= 20) {
        const match = pattern.exec(output.slice(met));
        if (match) {
          met += match.index + match[0].length;
          return;
        }
        await sleep(20);
      }
      throw new Error(`${String(pattern)} was not seen; the terminal shows:\n${output}`);
    },
    ended: ended.finally(() => child.stdin.destroy()),
  };
}
