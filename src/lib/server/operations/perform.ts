/** Carries out one action of a step: in this process, or as a supervised program whose identity and output are journaled. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action } from '$lib/plugin-api/plan';
import { AppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Clock } from '../clock';
import { compileAction, type CompiledAction } from '../host/actions';
import { withMembersOfNow } from '../host/mount-members';
import type { CommandLine, Host } from '../host/types';
import { beAlone, saveDatabase } from './alone';
import type { CrashPoints } from './crash-points';
import type { CommandRow, Journal, OperationRow, StepRow } from './journal';

type Command = Extract<CompiledAction, { kind: 'command' }>;

export interface PerformContext {
  host: Host;
  journal: Journal;
  bus: Bus;
  clock: Clock;
  crash: CrashPoints;
  recordsDir: string;
}
interface Act {
  operation: OperationRow;
  step: StepRow;
  phase: 'run' | 'undo';
  signal: AbortSignal;
  /** The program was to be ended and cannot be. */
  onStuck: (program: string) => void;
}

/**
 * Lines that arrive in one turn are committed together; `flush` commits what is left, and throws what kept an earlier
 * commit from working: the record file still has every line then.
 */
function collector(context: PerformContext, operationId: string, commandId: number) {
  let lines: CommandLine[] = [];
  let scheduled = false;
  let failed: { error: unknown } | null = null;
  const commit = (): void => {
    if (lines.length === 0) return;
    const batch = lines;
    lines = [];
    const lastId = context.journal.addOutput(operationId, commandId, batch);
    context.bus.emit('operation.output', { operationId, lastId });
  };
  const later = (): void => {
    scheduled = false;
    try {
      commit();
    } catch (error) {
      failed = { error };
    }
  };
  const flush = (): void => {
    if (failed) throw failed.error;
    commit();
  };
  const add = (line: CommandLine): void => {
    lines.push(line);
    if (scheduled) return;
    scheduled = true;
    setImmediate(later);
  };
  return { add, flush };
}

const lastLines = (lines: CommandLine[]): string =>
  lines
    .filter((line) => line.stream === 'stderr')
    .slice(-5)
    .map((line) => line.text)
    .join('\n');

const AGAIN_MS = 300;

async function runCommand(context: PerformContext, act: Act, command: Command): Promise<void> {
  for (let left = (command.tries ?? 1) - 1; ; left--)
    try {
      return await runOnce(context, act, command);
    } catch (error) {
      // What did not end in time, or was to be ended, is not begun again.
      const failed = error instanceof AppError && error.details.exitCode != null;
      if (left <= 0 || act.signal.aborted || !failed) throw error;
      await sleep(AGAIN_MS, undefined, { signal: act.signal }).catch(() => {
        throw error;
      });
    }
}

async function runOnce(context: PerformContext, act: Act, command: Command): Promise<void> {
  const { host, journal, clock, crash } = context;
  const { operation, step, phase } = act;
  mkdirSync(context.recordsDir, { recursive: true, mode: 0o700 });
  const recordPath = join(
    context.recordsDir,
    `${operation.id}-${step.index}-${phase}-${clock.now()}-${Math.floor(clock.elapsed() * 1_000)}`,
  );
  const argv = [command.program, ...command.argv];
  const id = journal.addCommand({
    operationId: operation.id,
    stepIndex: step.index,
    phase,
    argv,
    recordPath,
    startedAt: clock.now(),
  });
  const output = collector(context, operation.id, id);
  const tail: CommandLine[] = [];
  const place = { kind: operation.kind, step: step.name };
  context.bus.emit('operation.output', { operationId: operation.id, lastId: 0 });
  const end = await host.commands
    .run({
      program: command.program,
      argv: command.argv,
      ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
      ...(command.lockDrive === undefined ? {} : { lockDrive: command.lockDrive }),
      timeoutMs: command.timeoutMs,
      recordPath,
      signal: act.signal,
      onStuck: () => act.onStuck(command.program),
      onStarted(identity) {
        journal.commandStarted(id, identity);
        const at = { ...place, group: identity.pid };
        if (phase === 'run') crash.at('child-started', at);
        setImmediate(() => crash.at(phase === 'run' ? 'child-running' : 'undo-child-running', at));
      },
      onLine(line) {
        output.add(line);
        tail.push(line);
        if (tail.length > 50) tail.shift();
      },
    })
    .catch((error: unknown) => {
      output.flush();
      journal.commandEnded(id, { exitCode: null, signal: 'SIGKILL', at: clock.now() });
      throw error;
    });
  output.flush();
  journal.commandEnded(id, end);
  rmSync(recordPath, { force: true });
  if (end.exitCode !== null && command.okExitCodes.includes(end.exitCode)) return;
  const how =
    end.exitCode === null
      ? `was ended by ${end.signal ?? 'a signal'}`
      : `ended with exit code ${end.exitCode}`;
  const said = lastLines(tail);
  throw new AppError('command_failed', `${command.program} ${how}${said ? `: ${said}` : '.'}`, {
    details: { argv, exitCode: end.exitCode, signal: end.signal, stderr: said },
    remedy: 'Read the output of the step; when the cause is gone, retry the operation.',
  });
}

/** @throws AppError command_failed | command_timeout | cancelled | drive_gone | ... */
export async function perform(context: PerformContext, act: Act, action: Action): Promise<void> {
  if (action.do === 'be-alone') return beAlone(context, act.operation.id, act.signal);
  if (action.do === 'save-database') return saveDatabase(context.journal, action.path);
  const compiled = compileAction(await withMembersOfNow(action, context.host), context.host);
  if (compiled.kind === 'command') return runCommand(context, act, compiled);
  act.signal.throwIfAborted();
  await compiled.perform(act.signal);
}

/**
 * After a crash: takes the rest of a command's output and its exit status from the record that its supervisor left.
 * @returns whether the program is known to have ended well (its exit code was recorded and is in `okExitCodes`)
 */
export async function settleCommand(
  context: PerformContext,
  row: CommandRow,
): Promise<{ exitCode: number | null; recorded: boolean }> {
  const record = await context.host.commands.readRecord(row.recordPath);
  const known = context.journal.outputCount(row.id);
  const missed = record.lines.slice(known);
  if (missed.length > 0) {
    const lastId = context.journal.addOutput(row.operationId, row.id, missed);
    context.bus.emit('operation.output', { operationId: row.operationId, lastId });
  }
  context.journal.commandEnded(
    row.id,
    record.end ?? { exitCode: null, signal: 'SIGKILL', at: context.clock.now() },
  );
  rmSync(row.recordPath, { force: true });
  return { exitCode: record.end?.exitCode ?? null, recorded: record.end !== null };
}
