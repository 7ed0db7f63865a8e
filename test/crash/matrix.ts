/**
 * The generated part of the crash tier: for one kind of operation, every step × every crash point × both ways to die.
 *
 * One server process serves a case's recovery and the next case's crash: the points are read from a file.
 * Forward cases kill the server while the operation does its work; backward cases cancel it at its last step first, so
 * that the kill meets the way back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Action, Step } from '$lib/plugin-api/plan';
import type { Operation } from '$lib/shared/wire/operations';
import type { Appliance } from '../support/appliance';
import { orphansOf } from '../../src/cli/leftovers';
import { casesOf, isWait, notMet, type Case, type Claim, type JournalStep, type Scenario } from './cases';
import { machineState, type MachineState } from './machine-state';
import { feedOperations } from './feed-client';

export interface Cell {
  cell: string;
  verdict: string;
  /** Empty: passed. */
  problems: string[];
}
const settledStates = ['succeeded', 'failed', 'cancelled', 'needs-attention'];
const latestId = (appliance: Appliance, kind: string): string | null =>
  appliance.query<{ id: string }>(
    'SELECT id FROM operations WHERE kind = ? ORDER BY seq DESC LIMIT 1',
    kind,
  )[0]?.id ?? null;

async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
}

export async function settled(appliance: Appliance, id: string): Promise<Operation> {
  let operation: Operation | undefined;
  await until(`operation ${id} comes to an end`, async () => {
    // The journal is asked first: a server that answers a hundred times a second gets on with nothing else.
    const [row] = appliance.query<{ state: string }>('SELECT state FROM operations WHERE id = ?', id);
    if (row && !settledStates.includes(row.state)) return false;
    operation = (await appliance.rest<Operation>('GET', `/operations/${id}`)).body;
    return settledStates.includes(operation.state);
  });
  if (!operation) throw new Error('unreachable');
  return operation;
}

/** Lets an orphan that was stopped go on, a moment after the server is up again, as a slow program would. */
export function continueOrphans(appliance: Appliance): void {
  const rows = appliance.query<{ pid: number | null }>('SELECT pid FROM commands WHERE ended_at IS NULL');
  for (const { pid } of rows) {
    if (pid === null) continue;
    try {
      process.kill(-pid, 'SIGCONT');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Every state that a step of the latest operation of the kind has been in is progress. */
function progressOf(appliance: Appliance, kind: string): string {
  const id = latestId(appliance, kind);
  return JSON.stringify([
    id,
    appliance.query('SELECT state FROM steps WHERE operation_id = ? ORDER BY step_index', id),
  ]);
}

const STUCK_MS = 10_000;
/**
 * Waits for the server to die at its crash point, for as long as the operation gets on.
 * @returns false when nothing has come of any step for ten seconds
 */
async function died(appliance: Appliance, kind: string): Promise<boolean> {
  for (let seen = ''; ;) {
    const now = progressOf(appliance, kind);
    if (now === seen) return false;
    seen = now;
    if (await appliance.ended(STUCK_MS)) return true;
  }
}

/**
 * Waits until the operation is held where it is to be cancelled, for as long as it gets on: how long that takes is the
 * machine's business.
 * @returns false when nothing has come of any step for ten seconds, or the server is dead
 */
async function isHeld(
  appliance: Appliance,
  kind: string,
  at: string,
  before: string | null,
): Promise<boolean> {
  let seen = '';
  for (let since = Date.now(); appliance.running && Date.now() - since < STUCK_MS; await sleep(10)) {
    const id = latestId(appliance, kind);
    const held =
      id !== before &&
      appliance.query(
        "SELECT 1 FROM steps WHERE operation_id = ? AND name = ? AND state = 'done'",
        ...[id, at],
      ).length > 0;
    if (held) return true;
    const now = progressOf(appliance, kind);
    if (now !== seen) since = Date.now();
    seen = now;
  }
  return false;
}

async function crash(
  appliance: Appliance,
  scenario: Scenario,
  item: Case,
  before: string | null,
): Promise<void> {
  appliance.crashAt(item.specs);
  // The connection breaks with the server: what counts is what the journal says afterwards.
  const asked = Promise.resolve(scenario.begin(appliance)).then(
    (answer) => answer,
    (error: unknown) => error,
  );
  if (item.cancelAt) {
    if (!(await isHeld(appliance, scenario.kind, item.cancelAt, before)))
      throw new Error(
        `it was not held at ${item.cancelAt}: ${wayOf(appliance, scenario.kind)}; asked: ${await answerOf(asked)}`,
      );
    const id = latestId(appliance, scenario.kind);
    const answer = await appliance.rest('POST', `/operations/${id}/cancel`).catch(async (error: unknown) => {
      // The cancel itself may bring the server to its crash point: then it answers nobody.
      if (!(await appliance.ended(10_000))) throw error;
      return null;
    });
    if (answer && answer.status >= 300) throw new Error(`cancel was refused: ${JSON.stringify(answer.body)}`);
  }
  if (!(await died(appliance, scenario.kind)))
    throw new Error(
      `the point was not reached: ${wayOf(appliance, scenario.kind)}; asked: ${await answerOf(asked)}`,
    );
}

/** What was answered to who asked for the operation; the answer may be what is missing. */
const answerOf = async (asked: Promise<unknown>): Promise<string> =>
  Promise.race([
    asked.then((answer) => (answer instanceof Error ? answer.message : JSON.stringify(answer))),
    sleep(1000, 'nothing yet'),
  ]);

/** What became of an operation that should have been interrupted: without it, nobody could tell why it was not. */
function wayOf(appliance: Appliance, kind: string): string {
  // From the journal: the server may have died where nobody meant it to.
  const id = latestId(appliance, kind);
  const [operation] = appliance.query('SELECT state, error FROM operations WHERE id = ?', id);
  const steps = appliance.query(
    'SELECT name, state, error FROM steps WHERE operation_id = ? ORDER BY step_index',
    id,
  );
  return `the server ${appliance.running ? 'runs' : 'is dead'}: ${JSON.stringify(operation)}; ${JSON.stringify(steps)}`;
}

/** Only what is not the same in all. */
function difference(...states: MachineState[]): string {
  const keys = [...new Set(states.flatMap((state) => Object.keys(state)))] as (keyof MachineState)[];
  return keys
    .filter((key) => states.some((state) => !isDeepStrictEqual(state[key], states[0]?.[key])))
    .map((key) => `${key}: ${states.map((state) => JSON.stringify(state[key])).join(' / ')}`)
    .join('\n         ');
}

async function inspect(
  appliance: Appliance,
  operation: Operation,
  item: Case,
  start: MachineState,
  wanted: MachineState,
  now: MachineState,
): Promise<string[]> {
  const problems: string[] = [];
  const judged = operation.verdict !== null && operation.evidence.length > 0;
  if (!item.afterEnd && !judged) problems.push(`no verdict with evidence (state ${operation.state})`);
  if (operation.state === 'needs-attention')
    problems.push(`needs attention: ${operation.evidence.join(' ')}`);
  if (!isDeepStrictEqual(now, start) && !isDeepStrictEqual(now, wanted))
    problems.push(`the machine is neither as before nor as wanted: ${difference(now, start, wanted)}`);
  const expected = operation.state === 'succeeded' ? wanted : start;
  if (problems.length === 0 && !isDeepStrictEqual(now, expected))
    problems.push(`state ${operation.state} does not tell what is on the machine`);
  const locks = appliance.query('SELECT lock FROM operation_locks');
  if (locks.length > 0) problems.push(`locks are left: ${JSON.stringify(locks)}`);
  const open = appliance.query('SELECT argv FROM commands WHERE ended_at IS NULL');
  if (open.length > 0) problems.push(`commands without an end: ${JSON.stringify(open)}`);
  const orphans = orphansOf(`${appliance.dataDir}/records`);
  if (orphans.length > 0) problems.push(`processes are left: ${orphans.join(', ')}`);
  const shown = (await feedOperations(appliance)).find((candidate) => candidate.id === operation.id);
  if (!isDeepStrictEqual(shown, operation))
    problems.push(`the feed shows something else: ${JSON.stringify(shown)}`);
  return problems;
}

/**
 * Lines that were kept of each step, to compare complete outputs with. A program that was killed at work took a part of what
 * it had to tell along, and the one after it finds less to do: such steps have no complete output.
 */
function outputLines(appliance: Appliance, id: string, alone = true): Map<string, number> {
  const rows = appliance.query<{ step: number; n: number; well: number }>(
    `SELECT c.step_index AS step, c.exit_code IS 0 AS well,
       (SELECT count(*) FROM outputs o WHERE o.command_id = c.id) AS n
     FROM commands c WHERE c.operation_id = ? AND c.phase = 'run'`,
    id,
  );
  const killed = new Set(alone ? [] : rows.filter(({ well }) => well === 0).map(({ step }) => step));
  return new Map(
    rows.filter(({ step, well }) => well === 1 && !killed.has(step)).map((row) => [`${row.step}`, row.n]),
  );
}

function missingOutput(
  appliance: Appliance,
  id: string,
  reference: Map<string, number>,
  { alone }: Case,
): string[] {
  return [...outputLines(appliance, id, alone)]
    .filter(([step, lines]) => lines < (reference.get(step) ?? 0))
    .map(([step, lines]) => `step ${step} kept ${lines} of ${reference.get(step)} lines of output`);
}

/**
 * Runs the cases of a scenario.
 * @param claim see notMet
 * @returns a cell for each case that ran, in order, and how many there are
 */
export async function runMatrix(
  appliance: Appliance,
  scenario: Scenario,
  claim: Claim,
): Promise<{ cells: Cell[]; generated: number }> {
  const stateNow = (): MachineState => ({
    ...machineState(appliance),
    ...(scenario.observe ? { observed: scenario.observe(appliance) } : {}),
  });
  await scenario.setUp(appliance);
  const start = stateNow();
  const before = latestId(appliance, scenario.kind);
  const answer = await scenario.begin(appliance);
  const id = latestId(appliance, scenario.kind);
  if (!id || id === before) throw new Error(`${scenario.kind} was not accepted: ${JSON.stringify(answer)}`);
  const reference = await settled(appliance, id);
  if (reference.state !== 'succeeded')
    throw new Error(`${scenario.title} does not work at all: ${JSON.stringify(reference.error)}`);
  await scenario.tidyUp?.(appliance);
  const wanted = stateNow();
  const lines = outputLines(appliance, id);
  const steps = appliance
    .query<{ name: string; run: string; undo: string }>(
      'SELECT name, run, undo FROM steps WHERE operation_id = ? ORDER BY step_index',
      id,
    )
    .map((row): JournalStep => ({
      name: row.name,
      run: JSON.parse(row.run) as Action,
      undo: JSON.parse(row.undo) as Step['undo'],
    }));
  const skipped = new Set(
    reference.steps.filter((step) => step.state === 'skipped').map((step) => step.name),
  );

  const cells: Cell[] = [];
  const cases = casesOf(
    scenario,
    steps.filter((step) => isWait(step) || !skipped.has(step.name)),
  );
  for (const item of notMet(cases, claim)) {
    const problems: string[] = [];
    let verdict = '';
    try {
      if (!appliance.running) await appliance.start();
      // Readiness tells that every verdict is given; what follows from it may still go on.
      await until(
        'nothing runs',
        () => appliance.query("SELECT 1 FROM operations WHERE state IN ('running', 'undoing')").length === 0,
      );
      await scenario.setUp(appliance);
      const before = stateNow();
      if (!isDeepStrictEqual(before, start))
        problems.push(`the case does not begin as the first did: ${difference(before, start)}`);
      await crash(appliance, scenario, item, latestId(appliance, scenario.kind));
      appliance.crashAt('');
      const starting = appliance.start();
      const later = item.alone ? setTimeout(() => continueOrphans(appliance), 700) : undefined;
      await starting;
      const operation = await settled(appliance, latestId(appliance, scenario.kind) ?? '');
      clearTimeout(later);
      await scenario.tidyUp?.(appliance);
      verdict = operation.verdict ?? operation.state;
      problems.push(
        ...(await inspect(appliance, operation, item, start, wanted, stateNow())),
        ...missingOutput(appliance, operation.id, lines, item),
      );
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      appliance.crashAt('');
    }
    cells.push({ cell: item.cell, verdict, problems });
  }
  return { cells, generated: cases.length };
}

/** The matrix for people: one line a cell, and the sum. */
export function printMatrix(title: string, cells: Cell[], generated: number): void {
  const passed = cells.filter((cell) => cell.problems.length === 0).length;
  const rows = cells.map(
    (cell) =>
      `  ${cell.problems.length === 0 ? 'ok  ' : 'FAIL'} ${cell.cell.padEnd(48)} ${cell.verdict}${cell.problems.map((problem) => `\n       ${problem}`).join('')}`,
  );
  console.log(
    `\ncrash matrix: ${title}\n${rows.join('\n')}\n  ${cells.length} of ${generated} cells, ${passed} passed`,
  );
}
