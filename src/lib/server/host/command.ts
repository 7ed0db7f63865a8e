/**
 * The only place that starts programs.
 *
 * `read` runs a program that changes nothing: it dies with us, nobody has to know about it.
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
import { execa } from 'execa';
import { accessSync, closeSync, constants, openSync, readFileSync, readSync, watch } from 'node:fs';
import { AppError } from '../errors';
import { bootId, endGroup, isAlive, readStat, signalGroup, waitForEnd } from './process-group';
import { CORE_PROGRAMS, PROGRAMS } from './programs';
import { createRecordReader } from './record';
import { SUPERVISOR_SLACK_MS, supervisorScript } from './supervisor';
import type {
  CommandEnd,
  CommandLine,
  CommandOutput,
  CommandRecord,
  CommandRunner,
  ProcessIdentity,
  ReadOptions,
  SupervisedCommand,
} from './types';

const ENVIRONMENT = {
  LC_ALL: 'C',
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  // LVM complains on standard error about every descriptor it inherits.
  LVM_SUPPRESS_FD_WARNINGS: '1',
};
const READ_TIMEOUT_MS = 15_000;
const READ_LIMIT_BYTES = 32 * 1024 ** 2;
const CHUNK_BYTES = 64 * 1024;
const TERM_GRACE_MS = 2_000;
const KILLED: Omit<CommandEnd, 'at'> = { exitCode: null, signal: 'SIGKILL' };

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

const sayCommand = (program: string, argv: string[]): string => [program, ...argv].join(' ');
const tail = (text: string): string => text.trim().split('\n').slice(-5).join('\n').slice(-1_000);
/** setpriv ends a program when we end, however we end. */
const mortal = (program: string, argv: string[]): string[] => ['--pdeathsig', 'KILL', '--', program, ...argv];

export function createCommands(extraPrograms: string[] = []): Commands {
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

  async function read(program: string, argv: string[], options: ReadOptions = {}): Promise<CommandOutput> {
    mustBeRunnable(program);
    const { timeoutMs = READ_TIMEOUT_MS, okExitCodes = [0], signal } = options;
    if (signal?.aborted) throw new AppError('cancelled', `${program} was cancelled.`);
    const subprocess = execa(PROGRAMS.setpriv, mortal(program, argv), {
      env: ENVIRONMENT,
      extendEnv: false,
      stdin: 'ignore',
      detached: true,
      reject: false,
      stripFinalNewline: false,
      maxBuffer: READ_LIMIT_BYTES,
    });
    let ended: 'timeout' | 'cancelled' | null = null;
    const end = (why: 'timeout' | 'cancelled'): void => {
      ended = why;
      if (subprocess.pid !== undefined) signalGroup(subprocess.pid, 'SIGKILL');
    };
    const onAbort = (): void => end('cancelled');
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const result = await subprocess;
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    const { stdout, stderr, exitCode = null } = result;
    const details = {
      argv: [program, ...argv],
      exitCode,
      signal: result.signal ?? null,
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
        `${sayCommand(program, argv)} ended with ${exitCode === null ? (result.signal ?? 'no exit code') : `exit code ${exitCode}`}${stderr.trim() ? `: ${tail(stderr)}` : '.'}`,
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
    const onAbort = (): void => {
      if (subprocess.pid !== undefined) signalGroup(subprocess.pid, 'SIGKILL');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    for await (const line of subprocess) onLine(line);
    const { exitCode } = await subprocess;
    signal.removeEventListener('abort', onAbort);
    return exitCode ?? null;
  }

  return {
    read,
    follow,
    run: (command) => {
      mustBeRunnable(command.program);
      return supervise(command);
    },
    readRecord,
    isAlive,
    endGroup,
    waitForEnd,
    allow: (programs) => {
      for (const program of programs) allowed.add(program);
    },
  };
}

async function supervise(command: SupervisedCommand): Promise<CommandEnd> {
  const { program, argv, recordPath, timeoutMs, signal } = command;
  const line = sayCommand(program, argv);
  const cancelled = (): AppError => new AppError('cancelled', `${line} was cancelled.`);
  if (signal.aborted) throw cancelled();

  const record = tailRecord(recordPath, command.onLine);
  const limitMs = String(timeoutMs + SUPERVISOR_SLACK_MS);
  const subprocess = execa(PROGRAMS.perl, ['-e', supervisorScript(), recordPath, limitMs, program, ...argv], {
    env: ENVIRONMENT,
    extendEnv: false,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
  });
  // The supervisor may be killed while we write: that shows in its end, not here.
  subprocess.stdin.on('error', () => undefined);
  try {
    const identity = identityOf(subprocess.pid, program);
    command.onStarted(identity);
    const text = Buffer.from(command.stdin ?? '');
    const end = { timedOut: false };
    const stop = (): Promise<void> => endGroup(identity, TERM_GRACE_MS);
    let stopping: Promise<void> | undefined;
    const onAbort = (): void => void (stopping ??= stop());
    const timer = setTimeout(() => {
      end.timedOut = true;
      stopping ??= stop();
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      else subprocess.stdin.end(Buffer.concat([Buffer.from(`${text.length}\n`), text, Buffer.from('G')]));
      await subprocess;
      await stopping;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
    record.drain();
    // What ended by itself before the signal came has ended, whatever was asked for.
    const own = record.end();
    if (stopping && signal.aborted && own?.exitCode !== 0) throw cancelled();
    if (end.timedOut && own?.exitCode !== 0)
      throw new AppError('command_timeout', `${line} did not end within ${timeoutMs} ms.`, {
        details: { argv: [program, ...argv] },
      });
    return own ?? { ...KILLED, at: Date.now() };
  } finally {
    subprocess.stdin.destroy(); // before the gate was opened: the supervisor reads end of file and leaves
    record.close();
  }
}

function identityOf(pid: number | undefined, program: string): ProcessIdentity {
  const stat = pid === undefined ? null : readStat(pid);
  if (pid === undefined || !stat)
    throw new AppError('command_failed', `The supervisor of ${program} could not be started.`, {
      details: { program },
    });
  return { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** Follows a record file as the supervisor writes it. */
function tailRecord(
  path: string,
  onLine: (line: CommandLine) => void,
): { drain(): void; end(): CommandEnd | null; close(): void } {
  let failed: { error: unknown } | null = null;
  const descriptor = openSync(path, 'w+', 0o600);
  const reader = createRecordReader();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let offset = 0;
  const drain = (): void => {
    for (;;) {
      const count = readSync(descriptor, chunk, 0, CHUNK_BYTES, offset);
      if (count === 0) return;
      offset += count;
      for (const line of reader.push(chunk.subarray(0, count))) onLine(line);
    }
  };
  const watcher = watch(path, { persistent: false }, () => {
    if (failed) return;
    try {
      drain();
    } catch (error) {
      failed = { error }; // whoever waits for the command gets it: this callback has no caller
    }
  });
  return {
    drain: () => {
      if (failed) throw failed.error;
      drain();
    },
    end: reader.end,
    close: () => {
      watcher.close();
      closeSync(descriptor);
    },
  };
}

/** @returns no lines and no end when there is no record: the program never began */
async function readRecord(path: string): Promise<CommandRecord> {
  const reader = createRecordReader();
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { lines: [], end: null };
    throw error;
  }
  return { lines: reader.push(bytes), end: reader.end() };
}
