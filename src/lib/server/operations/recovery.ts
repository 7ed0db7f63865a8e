/**
 * After a crash: every operation that has not ended gets one of four verdicts, with what was seen as evidence.
 *
 * First its programs are settled: an orphan that still runs is waited for (when the operation will be finished) or ended
 * (when it will be taken back), its output and exit status are read from the record its supervisor left. Then the machine
 * is looked at, step by step, and the operation is finished, continued, taken back, or shown to the user.
 */
import { AppError } from '../errors';
import type { ProcessIdentity } from '../host/types';
import { endArrived, hasArrived, own, publish, runForward, takeBack, type Engine } from './engine';
import type { CommandRow, OperationRow, StepRow } from './journal';
import { EVERYTHING } from './locks';
import { awaitLateDrives } from './late-drives';
import { settleCommand } from './perform';
import { hasActed } from './runner';
import { hideStuck, showStuck } from './waiting';
import { pastNoReturn } from './view';

const ORPHAN_WAIT_MS = 60_000;
const ORPHAN_GRACE_MS = 2_000;
const ORPHAN_LOOK_MS = 2_000;
/** So many looks in a row: a program that works waits for the kernel now and then. */
const ORPHAN_STUCK_LOOKS = 4;

const identityOf = (row: CommandRow): ProcessIdentity | null =>
  row.pid === null || row.startTicks === null || row.bootId === null
    ? null
    : { pid: row.pid, startTicks: row.startTicks, bootId: row.bootId };

/** @returns false when it still runs after ORPHAN_WAIT_MS. `onStuck`: it does nothing but wait for the kernel. */
async function awaitOrphan(engine: Engine, identity: ProcessIdentity, onStuck: () => void): Promise<boolean> {
  const { commands } = engine.host;
  let stuckLooks = 0;
  for (let waitedMs = 0; waitedMs < ORPHAN_WAIT_MS; waitedMs += ORPHAN_LOOK_MS) {
    if (await commands.waitForEnd(identity, ORPHAN_LOOK_MS)) return true;
    stuckLooks = commands.waitsForKernel(identity) ? stuckLooks + 1 : 0;
    if (stuckLooks === ORPHAN_STUCK_LOOKS) onStuck();
  }
  return false;
}

async function settleOrphan(
  engine: Engine,
  operation: OperationRow,
  row: CommandRow,
  onStuck: (program: string) => void,
): Promise<string> {
  const identity = identityOf(row);
  const name = row.argv[0] ?? 'a program';
  let seen = `${name} had not been started`;
  if (identity) {
    seen = `${name} (pid ${identity.pid}) had ended`;
    if (engine.host.commands.isAlive(identity)) {
      const step = engine.journal.steps(operation.id)[row.stepIndex];
      const endless = step?.run.do === 'exec' && step.run.follow === true;
      const wait = operation.onInterrupt !== 'take-back' && operation.state === 'running' && !endless;
      const tell = (): void => onStuck(name);
      const ended = wait && (await awaitOrphan(engine, identity, tell));
      if (!ended) await engine.host.commands.endGroup(identity, ORPHAN_GRACE_MS, tell);
      seen = ended
        ? `${name} (pid ${identity.pid}) was still running and was waited for`
        : `${name} (pid ${identity.pid}) was still running and was ended`;
    }
  }
  const { exitCode, recorded } = await settleCommand(engine, row);
  if (recorded && exitCode !== null) return `${seen}, with exit code ${exitCode}.`;
  return identity && !recorded ? `${seen}; its exit status is not known.` : `${seen}.`;
}

/** True when nothing is left to do: every step is done, the last one perhaps without its commit. */
async function isComplete(engine: Engine, operation: OperationRow, rows: StepRow[]): Promise<boolean> {
  const open = rows.filter((step) => step.state !== 'done' && step.state !== 'skipped');
  if (open.length === 0) return true;
  const [only] = open;
  if (open.length > 1 || !only || !hasActed(only) || only.index !== rows.length - 1) return false;
  const commands = engine.journal
    .commands(operation.id)
    .filter((row) => row.stepIndex === only.index && row.phase === 'run');
  const last = commands.at(-1);
  // A program whose good end was not recorded may have been cut short, whatever its effect looks like from outside.
  if (last && last.exitCode !== 0) return false;
  return (await engine.look(only.look)).status === 'done';
}

const interrupted = (): AppError => new AppError('interrupted');

function stepAt(rows: StepRow[]): string {
  const current = rows.find(
    (step) =>
      step.state === 'undoing' ||
      step.state === 'acting' ||
      step.state === 'begun' ||
      step.state === 'failed',
  );
  if (current)
    return `It was at step ${current.index + 1} of ${rows.length}, "${current.title}" (${current.state}).`;
  const done = rows.filter((step) => step.state === 'done' || step.state === 'skipped').length;
  return `${done} of ${rows.length} steps were done.`;
}

async function judge(
  engine: Engine,
  operation: OperationRow,
  evidence: string[],
  signal: AbortSignal,
  judged: () => void,
): Promise<void> {
  const { journal } = engine;
  const rows = journal.steps(operation.id);
  const say = (verdict: 'finished-anyway' | 'continued' | 'taken-back', sentence: string): void => {
    journal.transaction((tx) => journal.verdict(tx, operation.id, verdict, [...evidence, sentence]));
    publish(engine, operation.id);
    judged();
  };
  if (await hasArrived(engine, rows)) {
    const back = operation.state === 'undoing' || operation.cancelRequestedAt !== null;
    say(
      'finished-anyway',
      back
        ? 'It was to be taken back, and yet what it leads to has begun already.'
        : 'What it leads to has begun; only the last note was missing.',
    );
    return endArrived(engine, operation.id);
  }
  if (operation.state === 'undoing') {
    say('taken-back', 'It was being taken back; that is finished now.');
    const { error } = operation;
    return takeBack(
      engine,
      operation.id,
      error
        ? new AppError(error.code, error.message, error.remedy ? { remedy: error.remedy } : {})
        : interrupted(),
    );
  }
  if (
    operation.cancelRequestedAt !== null &&
    operation.onInterrupt !== 'finish' &&
    !pastNoReturn(operation.onInterrupt, rows)
  ) {
    say('taken-back', 'It had been cancelled; it is taken back.');
    return takeBack(engine, operation.id, new AppError('cancelled'));
  }
  if (await isComplete(engine, operation, rows)) {
    say('finished-anyway', 'Every step has its effect on the machine; only the last note was missing.');
    return runForward(engine, operation.id, signal);
  }
  if (operation.onInterrupt === 'take-back') {
    say('taken-back', 'What it had made is taken back, so that it can be tried again from a clean start.');
    return takeBack(engine, operation.id, interrupted());
  }
  say('continued', 'It goes on from that step.');
  return runForward(engine, operation.id, signal);
}

/**
 * Gives one operation its verdict and carries it out. Resolves when the verdict is on disk; the work goes on. An orphan that
 * waits for the kernel is not waited for: the verdict follows when it has ended.
 */
export async function recoverOne(engine: Engine, operation: OperationRow): Promise<void> {
  if (operation.state === 'needs-attention') return publish(engine, operation.id);
  const evidence = [stepAt(engine.journal.steps(operation.id))];
  let judged: () => void = () => undefined;
  const verdictGiven = new Promise<void>((resolve) => {
    judged = resolve;
  });
  const finished = own(engine, operation.id, async (signal) => {
    let told = false;
    for (const row of engine.journal.openCommands(operation.id)) {
      const onStuck = (program: string): void => {
        if (!told) showStuck(engine, operation, row.stepIndex, program);
        told = true;
        // The start goes on without it: the others are not held up by a drive that does not answer.
        judged();
      };
      evidence.push(await settleOrphan(engine, operation, row, onStuck));
    }
    hideStuck(engine, operation);
    const late = await awaitLateDrives(engine, operation, signal, judged);
    if (engine.closed) return;
    if (late !== null) evidence.push(late);
    // It may have been cancelled meanwhile.
    await judge(engine, engine.journal.operation(operation.id) ?? operation, evidence, signal, judged);
  });
  // Nothing else may begin before such a one has ended: what the start does next would be refused.
  const isAlone = engine.journal.lockHolder(EVERYTHING) === operation.id;
  await (isAlone ? finished : Promise.race([verdictGiven, finished]));
}

export async function recoverAll(engine: Engine, only: (kind: string) => boolean): Promise<void> {
  for (const operation of engine.journal.live()) {
    if (engine.workers.has(operation.id) || !only(operation.kind)) continue;
    if (!engine.definitions.has(operation.kind)) {
      engine.log.error(
        { operationId: operation.id, kind: operation.kind },
        'an interrupted operation is of a kind that is not known',
      );
      continue;
    }
    await recoverOne(engine, operation);
  }
}
