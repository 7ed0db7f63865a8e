/** Asking for what changes the host: the plan is shown before anything is destroyed, and the operation is followed if wanted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLive } from '$lib/shared/states';
import type { Erasure, Operation, OutputLine } from '$lib/shared/wire/operations';
import { formatBytes } from '$lib/shared/units';
import { confirm } from './ask';
import type { Context } from './context';
import { CliError, EXIT, type ExitCode } from './exit-codes';
import { printable, styled, toned } from './table';

interface Begun {
  operationId: string;
}
interface Plan {
  confirmCode?: string | null;
  title?: string;
  steps?: { title: string; command: string; destroys: string[] }[];
  erases?: Erasure[];
  loses?: string[];
  notes?: string[];
}

export function planText({ title, steps = [], erases = [], loses = [], notes = [] }: Plan): string {
  const lost = [
    ...erases.flatMap(({ serial, path, sizeBytes, content }) => [
      `erases ${serial ?? path ?? 'a drive'} (${path ?? 'away'}, ${formatBytes(sizeBytes)})`,
      ...content.map((line) => `  ${line}`),
    ]),
    ...loses.map((line) => `loses ${line}`),
  ];
  return [
    ...(title ? [styled('bold', title, process.stderr)] : []),
    ...steps.map(
      (step, at) =>
        `  ${at + 1}. ${printable(step.title)}\n     ${styled('gray', printable(step.command), process.stderr)}`,
    ),
    ...lost.map((line) => styled('red', printable(line), process.stderr)),
    ...notes.map((line) => printable(line)),
  ].join('\n');
}

const BAR = 24;
function bar({ percent, state, steps, progress }: Operation): string {
  const full = Math.round((Math.min(100, Math.max(0, percent)) / 100) * BAR);
  const now = steps.find((step) => ['begun', 'acting', 'undoing'].includes(step.state));
  const text = progress?.text ?? now?.title ?? state;
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${String(Math.round(percent)).padStart(3)} %  ${printable(text)}`;
}

export const exitOfOperation = ({ state }: Pick<Operation, 'state'>): ExitCode => {
  if (state === 'needs-attention') return EXIT.needsYou;
  return state === 'succeeded' || isLive(state) ? EXIT.done : EXIT.failed;
};

/** What is shown of an operation while it goes on: a bar for people, a line a step for everybody else. */
function progress({ options, note }: Context, withOutput: boolean) {
  const live = process.stderr.isTTY && !options.json;
  const told = new Set<number>();
  let lastOutput = 0;
  const clear = (): void => {
    if (live) process.stderr.write('\r\u001b[2K');
  };
  return {
    clear,
    /** From the first on after every break: what was shown is left out. */
    output({ id, stream, text }: OutputLine): void {
      if (!withOutput || options.json || id <= lastOutput) return;
      lastOutput = id;
      clear();
      note(stream === 'command' ? styled('gray', `$ ${printable(text)}`, process.stderr) : printable(text));
    },
    operation(operation: Operation): void {
      if (live) {
        clear();
        process.stderr.write(bar(operation).slice(0, Math.max(20, (process.stderr.columns ?? 80) - 1)));
      } else if (!options.json)
        for (const step of operation.steps)
          if (['begun', 'acting'].includes(step.state) && !told.has(step.index)) {
            told.add(step.index);
            note(`${step.index + 1}/${operation.steps.length} ${printable(step.title)}`);
          }
    },
  };
}

/** An update starts Cairn anew; a service manager does it after a crash, ever more rarely. */
const BACK_MS = 3 * 60_000;
const AGAIN_MS = 500;
const isAway = (error: unknown): boolean => error instanceof CliError && error.exitCode === EXIT.unreachable;
const goesOn = ({ state }: Operation): boolean => isLive(state) && state !== 'needs-attention';

/**
 * Ends with the operation, also when Cairn was started anew meanwhile: it brings the operation to an end then, and this goes on.
 * @param withOutput what its commands print, too
 * @throws CliError when Cairn does not come back
 */
export async function follow(context: Context, id: string, withOutput: boolean): Promise<Operation> {
  const shown = progress(context, withOutput);
  const path = `/operations/${encodeURIComponent(id)}/follow`;
  let last: Operation | null = null;
  let awaySince: number | null = null;
  for (;;) {
    try {
      for await (const line of context.api.lines<{ operation?: Operation; output?: OutputLine }>(path)) {
        awaySince = null;
        if (line.output) shown.output(line.output);
        if (!line.operation) continue;
        last = line.operation;
        shown.operation(last);
      }
    } catch (error) {
      if (!last || !isAway(error)) throw error;
    }
    shown.clear();
    if (!last) throw new CliError(EXIT.failed, 'Cairn told nothing of the operation.');
    if (!goesOn(last)) return last;
    // The line was cut: Cairn was stopped.
    const now = performance.now();
    if (awaySince === null && !context.options.json)
      context.note('Cairn is away. Waiting until it is back...');
    awaySince ??= now;
    if (now - awaySince > BACK_MS)
      throw new CliError(
        EXIT.unreachable,
        `Cairn left while "${last.title}" was at ${Math.round(last.percent)} %.`,
        { remedy: `It is brought to an end when Cairn is back: cairn operations show ${last.id}` },
      );
    await sleep(AGAIN_MS);
  }
}

export function ending({ title, state, error, verdict }: Operation): string {
  const why = error
    ? `: ${printable(error.message)}${error.remedy ? `\n  ${printable(error.remedy)}` : ''}`
    : '';
  return `${printable(title)}: ${toned(state)}${verdict ? ` (${verdict})` : ''}${why}`;
}

/** What is said of one that was begun, or how it ended with --wait. */
export async function afterStart(context: Context, begun: Begun & object): Promise<ExitCode> {
  if (!context.options.wait) {
    context.show(begun, () => `Begun. Follow it: cairn operations follow ${begun.operationId}`);
    return EXIT.done;
  }
  const operation = await follow(context, begun.operationId, false);
  context.show(operation, () => ending(operation));
  return exitOfOperation(operation);
}

interface Asked {
  method?: 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: object;
  /** Asked first, for what Cairn itself takes without a code. */
  question?: string;
}

/** Begins what changes the host. What destroys something is shown and asked for first. @throws CliError */
export async function change(
  context: Context,
  { method = 'POST', path, body, question }: Asked,
): Promise<ExitCode> {
  if (question) await confirm(context, question);
  const send = (more: object): Promise<Begun> => {
    const all = { ...body, ...more };
    return context.api.send(method, path, Object.keys(all).length > 0 ? all : undefined);
  };
  let begun: Begun;
  try {
    begun = await send({});
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'confirm_required') throw error;
    const plan: Plan = error.details;
    context.note(planText(plan));
    await confirm(context, 'This cannot be taken back. Go on?');
    begun = await send({ confirmCode: plan.confirmCode });
  }
  return afterStart(context, begun);
}
