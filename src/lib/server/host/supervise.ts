/** Our side of a supervised command: start, commit, open the gate, follow the record, end it when asked. */
import { execa } from 'execa';
import { closeSync, openSync, readFileSync, readSync, watch } from 'node:fs';
import { AppError } from '../errors';
import { ENVIRONMENT, sayCommand } from './environment';
import { bootId, endGroup, readStat } from './process-group';
import { PROGRAMS } from './programs';
import { createRecordReader } from './record';
import { SUPERVISOR_SLACK_MS, supervisorScript } from './supervisor';
import type { CommandEnd, CommandLine, CommandRecord, ProcessIdentity, SupervisedCommand } from './types';

const CHUNK_BYTES = 64 * 1024;
const TERM_GRACE_MS = 2_000;
const KILLED: Omit<CommandEnd, 'at'> = { exitCode: null, signal: 'SIGKILL' };

/** Runs a program under a supervisor; see the top of command.ts. @throws AppError cancelled | command_timeout | command_failed */
export async function supervise(command: SupervisedCommand): Promise<CommandEnd> {
  const { program, argv, recordPath, timeoutMs, signal } = command;
  const line = sayCommand(program, argv);
  const cancelled = (): AppError => new AppError('cancelled', `${line} was cancelled.`);
  if (signal.aborted) throw cancelled();

  const record = tailRecord(recordPath, command.onLine);
  const limitMs = String(timeoutMs + SUPERVISOR_SLACK_MS);
  const subprocess = execa(
    PROGRAMS.perl,
    ['-e', supervisorScript(), recordPath, limitMs, command.lockDrive ?? '', program, ...argv],
    {
      env: ENVIRONMENT,
      extendEnv: false,
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'ignore',
      detached: true,
      cleanup: false,
      reject: false,
      buffer: false,
    },
  );
  // The supervisor may be killed while we write: that shows in its end, not here.
  subprocess.stdin.on('error', () => undefined);
  try {
    const identity = identityOf(subprocess.pid, program);
    command.onStarted(identity);
    const text = Buffer.from(command.stdin ?? '');
    const end = { timedOut: false };
    const stop = (): Promise<void> => endGroup(identity, TERM_GRACE_MS, command.onStuck);
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
export async function readRecord(path: string): Promise<CommandRecord> {
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
