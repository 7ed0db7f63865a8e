/**
 * Programs with a command line of their own (virsh), asked again and again over one start: starting one, and its
 * connection, takes fifty times as long as its answer. See {@link Talk}.
 *
 * An answer counts only when nothing is odd about it. Whatever is (a word of complaint, no answer in time, an end), the
 * program is ended and `null` is told: whoever asks starts one for this question alone, and that one says what is wrong.
 */
import { execa } from 'execa';
import { randomUUID } from 'node:crypto';
import type { Talk } from '$lib/plugin-api/storage';
import { ENVIRONMENT } from './environment';
import { signalGroup } from './process-group';
import { PROGRAMS } from './programs';
import { createPool, type Answerer } from './answerers';

/** Longer than any answer of a machine that is not overloaded; then one start more does not matter. */
const TIMEOUT_MS = 3_000;
const LIMIT_CHARACTERS = 32 * 1024 ** 2;
/** They hold a connection each. */
const AT_ONCE = 2;
const IDLE_MS = 3_000;

type Answer = string | null;
type Talker = Answerer<Talk['line'], Answer>;

function startTalker(program: string, argv: string[], onEnd: () => void): Talker {
  const subprocess = execa(PROGRAMS.setpriv, ['--pdeathsig', 'KILL', '--', program, ...argv], {
    env: ENVIRONMENT,
    extendEnv: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
    reject: false,
    buffer: false,
  });
  const { stdin, stdout, stderr } = subprocess;
  stdin.on('error', () => undefined); // it has ended: that shows in its end
  let waiting: { begin: string; end: string; resolve: (answer: Answer) => void } | null = null;
  let said = '';
  let isOdd = false;

  const settle = (answer: Answer): void => {
    const current = waiting;
    waiting = null;
    said = '';
    current?.resolve(answer);
  };
  const giveUp = (): void => {
    isOdd = true;
    onEnd();
    if (subprocess.pid !== undefined) signalGroup(subprocess.pid, 'SIGKILL');
    settle(null);
  };
  stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
    if (said.length > LIMIT_CHARACTERS) return giveUp();
    if (!waiting) return;
    const { begin, end } = waiting;
    // Its end can only be in what has just come, or begin a little before.
    const to = said.indexOf(end, Math.max(0, said.length - chunk.length - end.length));
    if (to < 0) return;
    const from = said.indexOf(begin);
    if (from < 0 || from > to) return giveUp();
    const answer = said.slice(from + begin.length, to);
    // What it complained of was written before, to another pipe: that one is read in this turn of the loop too.
    setImmediate(() => (isOdd ? settle(null) : settle(answer)));
  });
  stderr.on('data', giveUp);
  void subprocess.finally(giveUp);
  return {
    ask: (line) =>
      new Promise((resolve) => {
        if (isOdd) return resolve(null);
        const timer = setTimeout(giveUp, TIMEOUT_MS);
        // Nobody who wrote what is answered (a description of a machine) can have known them.
        const [begin, end] = [randomUUID(), randomUUID()];
        said = '';
        waiting = { begin, end, resolve: (answer) => (clearTimeout(timer), resolve(answer)) };
        stdin.write(`${line(begin, end)}\n`);
      }),
    end: () => stdin.end(),
  };
}

export interface Talks {
  /** What it answered; null: nothing that counts. */
  ask(program: string, talk: Talk): Promise<Answer>;
  close(): void;
}

export function createTalks(): Talks {
  const pools = new Map<string, ReturnType<typeof createPool<Talk['line'], Answer>>>();
  return {
    ask(program, { argv, line }) {
      const key = JSON.stringify([program, argv]);
      const pool =
        pools.get(key) ??
        createPool<Talk['line'], Answer>((onEnd) => startTalker(program, argv, onEnd), {
          atOnce: AT_ONCE,
          idleMs: IDLE_MS,
        });
      pools.set(key, pool);
      return pool.ask(line);
    },
    close: () => {
      for (const pool of pools.values()) pool.close();
    },
  };
}
