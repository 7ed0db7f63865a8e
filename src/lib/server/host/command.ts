/**
 * The only place that starts programs.
 *
 * `read` runs a program that changes nothing: it dies with us, nobody has to know about it. One that cannot be ended,
 * because the kernel waits for a drive that is gone, is left behind when its time is over.
 *
 * `run` runs a program that changes the machine, and has three promises to keep when Cairn is killed at any moment:
 * the program goes on undisturbed, who it is was on disk before it could act, and its output and exit status are
 * complete. A child of ours can keep none of them (its pipes break with us, its exit status is lost), so there is a
 * supervisor in between, a small perl program in a session and process group of its own:
 *
 *     Cairn ──spawns──▶ supervisor ──waits at the gate──▶ fork + exec ──▶ program
 *       │  identity (pid, start time, boot) committed        │ reads stdout and stderr
 *       └──one byte opens the gate──────────────────────────▶│ appends lines to the record file
 *       ◀── tails the record file (inotify) ─────────────────┘ last line: exit status, then fsync
 *
 * The gate is the supervisor's standard input: `<length>\n`, the text for the program's own standard input, then one
 * byte. End of file before that byte means that we died before the commit; the program is then never started.
 * Record lines: `O <ms> <text>`, `E <ms> <text>`, and at the end `X <ms> <exit|-> <signal|->`; control characters and
 * backslashes as \xHH. A record without X whose supervisor is gone means that all of it was killed.
 *
 * Cancel and timeout end the whole group: TERM (the supervisor ignores it, so that it can still write how the program
 * ended), after two seconds KILL. The supervisor has a time limit too, a little later, for when we are not there.
 * Nothing runs through a shell; argv is an array, the program an absolute path from a list.
 */
import { execa, type ResultPromise } from 'execa';
import { accessSync, constants } from 'node:fs';
import { AppError } from '../errors';
import { ENVIRONMENT, sayCommand } from './environment';
import { createDriveReaders } from './locked-read';
import { endGroup, isAlive, signalGroup, waitForEnd, waitsForKernel } from './process-group';
import { CORE_PROGRAMS, PROGRAMS } from './programs';
import { createStuckPrograms, GRACE_MS } from './stuck';
import { readRecord, supervise } from './supervise';
import { createTalks } from './talks';
import type { CommandOutput, CommandRunner, ReadOptions } from './types';

const READ_TIMEOUT_MS = 15_000;
const READ_LIMIT_BYTES = 32 * 1024 ** 2;

export interface Commands extends CommandRunner {
  /** Adds programs of a plugin to those that may be run. */
  allow(programs: string[]): void;
  /**
   * Runs a program that reports for as long as it lives, a line at a time; it dies with us.
   * Resolves when it has ended or `signal` has ended it, with its exit code. @throws AppError program_missing | command_not_allowed
   */
  follow(
    program: string,
    argv: string[],
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): Promise<number | null>;
}

const tail = (text: string): string => text.trim().split('\n').slice(-5).join('\n').slice(-1_000);
/** setpriv ends a program when we end, however we end. */
const mortal = (program: string, argv: string[]): string[] => ['--pdeathsig', 'KILL', '--', program, ...argv];

const NOTHING = { stdout: '', stderr: '', exitCode: null };

export function createCommands(extraPrograms: string[] = []): Commands {
  const stuck = createStuckPrograms();
  const talks = createTalks();
  const allowed = new Set<string>([...CORE_PROGRAMS, ...extraPrograms]);

  function mustBeRunnable(program: string): void {
    if (!allowed.has(program))
      throw new AppError(
        'command_not_allowed',
        `${program} is not in the list of programs that may be run.`,
        { details: { program } },
      );
    try {
      accessSync(program, constants.X_OK);
    } catch (cause) {
      throw new AppError('program_missing', `${program} is not installed on this machine.`, {
        details: { program },
        remedy: `Install the package that has ${program}, then try again.`,
        cause,
      });
    }
  }

  /** Killed, and still there: nothing of ours may wait for it any longer. */
  function leave(subprocess: ResultPromise, program: string, argv: string[]): void {
    subprocess.stdout?.destroy();
    subprocess.stderr?.destroy();
    if (subprocess.pid !== undefined) stuck.add(program, argv, subprocess.pid);
  }

  async function read(program: string, argv: string[], options: ReadOptions = {}): Promise<CommandOutput> {
    mustBeRunnable(program);
    const { timeoutMs = READ_TIMEOUT_MS, okExitCodes = [0], signal, env = {}, stdin } = options;
    if (signal?.aborted) throw new AppError('cancelled', `${program} was cancelled.`);
    stuck.refuseIfStuck(program, argv);
    const answer = options.talk ? await talks.ask(program, options.talk) : null;
    if (answer !== null) return { stdout: answer, stderr: '', exitCode: 0 };
    const subprocess = execa(PROGRAMS.setpriv, mortal(program, argv), {
      env: { ...ENVIRONMENT, ...env },
      extendEnv: false,
      ...(stdin === undefined ? { stdin: 'ignore' } : { input: stdin }),
      detached: true,
      reject: false,
      stripFinalNewline: false,
      maxBuffer: READ_LIMIT_BYTES,
    });
    let ended: 'timeout' | 'cancelled' | null = null;
    const left = Promise.withResolvers<null>();
    let grace: NodeJS.Timeout | undefined;
    const end = (why: 'timeout' | 'cancelled'): void => {
      ended ??= why;
      if (subprocess.pid !== undefined) signalGroup(subprocess.pid, 'SIGKILL');
      grace ??= setTimeout(() => left.resolve(null), GRACE_MS);
    };
    const onAbort = (): void => end('cancelled');
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const result = await Promise.race([subprocess, left.promise]);
    clearTimeout(timer);
    clearTimeout(grace);
    signal?.removeEventListener('abort', onAbort);
    if (result === null) leave(subprocess, program, argv);
    const { stdout, stderr, exitCode = null } = result ?? NOTHING;
    const details = {
      argv: [program, ...argv],
      exitCode,
      signal: result?.signal ?? null,
      stderr: tail(stderr),
    };
    if (ended === 'cancelled')
      throw new AppError('cancelled', `${sayCommand(program, argv)} was cancelled.`, { details });
    if (ended === 'timeout')
      throw new AppError(
        'command_timeout',
        `${sayCommand(program, argv)} did not end within ${timeoutMs} ms.`,
        { details },
      );
    if (exitCode === null || !okExitCodes.includes(exitCode))
      throw new AppError(
        'command_failed',
        `${sayCommand(program, argv)} ended with ${exitCode === null ? (result?.signal ?? 'no exit code') : `exit code ${exitCode}`}${stderr.trim() ? `: ${tail(stderr)}` : '.'}`,
        { details },
      );
    return { stdout, stderr, exitCode };
  }

  async function follow(
    program: string,
    argv: string[],
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): Promise<number | null> {
    mustBeRunnable(program);
    // Standard input stays open and empty: the program's own end of file must not end it.
    const subprocess = execa(PROGRAMS.setpriv, mortal(program, argv), {
      env: ENVIRONMENT,
      extendEnv: false,
      stdin: 'pipe',
      stderr: 'ignore',
      detached: true,
      reject: false,
      buffer: false,
    });
    const left = Promise.withResolvers<null>();
    let grace: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      if (subprocess.pid !== undefined) signalGroup(subprocess.pid, 'SIGKILL');
      grace = setTimeout(() => left.resolve(null), GRACE_MS);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const toTheEnd = async (): Promise<number | null> => {
      for await (const line of subprocess) onLine(line);
      return (await subprocess).exitCode ?? null;
    };
    const exitCode = await Promise.race([toTheEnd(), left.promise]);
    clearTimeout(grace);
    signal.removeEventListener('abort', onAbort);
    return exitCode;
  }

  return {
    readers: createDriveReaders(),
    talks,
    read,
    follow,
    run: (command) => {
      mustBeRunnable(command.program);
      return supervise(command);
    },
    readRecord,
    isAlive,
    endGroup,
    waitsForKernel,
    waitForEnd,
    allow: (programs) => {
      for (const program of programs) allowed.add(program);
    },
  };
}
