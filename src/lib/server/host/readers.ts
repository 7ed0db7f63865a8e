/**
 * Programs that answer questions again and again: started when the first one is asked, ended after a while without any.
 * Starting a program costs our one thread some milliseconds; a look at a drive is made of several, and operations wait for
 * their looks.
 *
 * A question is a line of words, an answer a line of words; words are hexadecimal, an empty one is `-`. One question at a
 * time each; what is asked meanwhile takes another reader, up to {@link AT_ONCE}, and then waits.
 */
import { execa } from 'execa';
import { createInterface } from 'node:readline';
import { AppError } from '../errors';
import { ENVIRONMENT } from './environment';
import { createPool, type Answerer } from './answerers';
import { signalGroup } from './process-group';

const AT_ONCE = 6;
const IDLE_MS = 3_000;

const wordOut = (word: string): string => (word === '' ? '-' : Buffer.from(word).toString('hex'));
const wordIn = (word: string): string => (word === '-' ? '' : Buffer.from(word, 'hex').toString());

interface Question {
  words: string[];
  timeoutMs: number;
}
export interface Readers {
  /** @throws AppError command_timeout (the reader is ended), command_failed (it ended without an answer) */
  ask(words: string[], timeoutMs: number): Promise<string[]>;
  /** Ends those that nobody asks now, and the others when they have answered. */
  close(): void;
}

/** @param onEnd it has ended, by itself or because an answer took too long */
function startReader(program: string, argv: string[], onEnd: () => void): Answerer<Question, string[]> {
  const subprocess = execa(program, argv, {
    env: ENVIRONMENT,
    extendEnv: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
    detached: true,
    reject: false,
    buffer: false,
  });
  subprocess.stdin.on('error', () => undefined); // it has ended: that shows in its end
  let waiting: { resolve: (words: string[]) => void; reject: (error: Error) => void } | null = null;
  const settle = (act: (of: NonNullable<typeof waiting>) => void): void => {
    const current = waiting;
    waiting = null;
    if (current) act(current);
  };
  createInterface({ input: subprocess.stdout }).on('line', (line) =>
    settle(({ resolve }) => resolve(line.split(' ').map(wordIn))),
  );
  const kill = (): void => {
    if (subprocess.pid !== undefined) signalGroup(subprocess.pid, 'SIGKILL');
  };
  void subprocess.finally(() => {
    onEnd();
    settle(({ reject }) =>
      reject(new AppError('command_failed', 'A program that looks at drives ended without an answer.')),
    );
  });
  return {
    ask: ({ words, timeoutMs }) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          settle((of) =>
            of.reject(new AppError('command_timeout', `No answer came within ${timeoutMs} ms.`)),
          );
          onEnd();
          kill();
        }, timeoutMs);
        const done = (): void => clearTimeout(timer);
        waiting = {
          resolve: (answer) => (done(), resolve(answer)),
          reject: (error) => (done(), reject(error)),
        };
        subprocess.stdin.write(`${words.map(wordOut).join(' ')}\n`);
      }),
    end: () => subprocess.stdin.end(),
  };
}

export function createReaders(program: string, argv: () => string[]): Readers {
  const pool = createPool<Question, string[]>((onEnd) => startReader(program, argv(), onEnd), {
    atOnce: AT_ONCE,
    idleMs: IDLE_MS,
  });
  return { ask: (words, timeoutMs) => pool.ask({ words, timeoutMs }), close: () => pool.close() };
}
