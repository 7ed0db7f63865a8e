/** The cases of one kind of operation: every step × every crash point × both ways to die. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Action, Step } from '$lib/plugin-api/plan';
import type { Appliance } from '../support/appliance';

export interface Scenario {
  title: string;
  kind: string;
  /** Brings the appliance into the state from which the operation starts. Idempotent: called before every case. */
  setUp(appliance: Appliance): Promise<void>;
  /** Asks for the operation. The answer may never come: the server may die first. */
  begin(appliance: Appliance): Promise<unknown>;
  /** Cancel at the last step to reach the way back. */
  backward: boolean;
  /** How many there are exactly, of a plan so short that it has fewer than most. */
  cells?: number;
  /** false: only the way back, where another scenario has the same steps forward. */
  forward?: boolean;
  /** What it changes that the state of the machine does not show: a program that ends. */
  observe?(appliance: Appliance): unknown;
  /** What belongs to a case and not to the machine is put back: limits of speed, programs. */
  tidyUp?(appliance: Appliance): Promise<void> | void;
  /** After the last scenario, also when one failed. */
  cleanUp?(): void;
  /** Steps whose effect is gone by itself once later ones have been taken back: there is no act to be killed in. */
  over?: string[];
  /** Cells whose point no process comes to: another one has met what the step is about, and ends it. */
  never?: string[];
  /** Name of the step after which it is cancelled, for operations whose last steps take away what the others made. */
  cancelAfter?: string;
}
export interface JournalStep {
  name: string;
  run: Action;
  undo: Step['undo'];
}
export interface Case {
  cell: string;
  specs: string;
  /** Cancel when this step is held. */
  cancelAt: string | null;
  alone: boolean;
  /** The point lies after the operation has ended: there is nothing to judge. */
  afterEnd: boolean;
  /** Which code it meets: the same in every plan that has the same kind of step. */
  meets: string;
}

const isCommand = (action: Action): boolean =>
  [
    'exec',
    'mount',
    'unmount',
    'attach-loop',
    'detach-loop',
    'reread-partitions',
    'forget-partitions',
    'set-immutable',
    'forget-btrfs',
    'blink',
  ].includes(action.do);

/** It is looked at until the kernel has done its work: nothing of ours acts. */
export const isWait = ({ run }: JournalStep): boolean => run.do === 'wait';

const forwardPoints = (step: JournalStep): [point: string, mode: string][] => [
  ['begun', 'alone'],
  ...(isWait(step) ? [] : actingPoints(step)),
];
const actingPoints = (step: JournalStep): [point: string, mode: string][] => [
  ['acting', 'alone'],
  ...(isCommand(step.run)
    ? ([
        ['child-started', 'alone'],
        ['child-started', 'both'],
        ['child-running', 'alone'],
        ['child-running', 'both'],
      ] as [string, string][])
    : []),
  ['acted', 'alone'],
  ['done', 'alone'],
];
const backPoints = (step: JournalStep): [point: string, mode: string][] =>
  typeof step.undo === 'string'
    ? []
    : [
        ['undoing', 'alone'],
        ...(step.undo.some(isCommand)
          ? ([
              ['undo-child-running', 'alone'],
              ['undo-child-running', 'both'],
            ] as [string, string][])
          : []),
        ['undo-acted', 'alone'],
        ['undone', 'alone'],
      ];

/** A later step has done for good what its way back would do (mounted for a moment): there is nothing left to take back. */
const isOver = (step: JournalStep, later: JournalStep[]): boolean =>
  later.some(({ run, undo }) => undo === 'nothing' && isDeepStrictEqual(step.undo, [run]));
const UNDO_ACTS = ['undo-child-running', 'undo-acted'];

/** While one works on a step: only the cells whose name matches. */
const CELLS = process.env.CAIRN_CRASH_CELLS ? new RegExp(process.env.CAIRN_CRASH_CELLS) : null;

/** A step without what differs from plan to plan: what it is called, what does it, and what would take it back. */
function kindOf({ name, run, undo }: JournalStep): string {
  const acts = [run, ...(typeof undo === 'string' ? [] : undo)];
  const words = acts.map((act) => (act.do === 'exec' ? `${act.do} ${act.program}` : act.do));
  return [name.replace(/-\d+$/, ''), ...words].join(', ');
}

/**
 * Where the machine is as it was before the step, or as it was left after it, and only the journal moves: it depends on the kind of
 * action at most, and on whether the plan makes or takes away, not on what the step is about.
 */
const ONLY_THE_JOURNAL = ['begun', 'acting', 'child-started', 'done', 'undoing', 'undone'];
function meetingOf({ backward }: Scenario, step: JournalStep, point: string, mode: string): string {
  if (!ONLY_THE_JOURNAL.includes(point)) return `${kindOf(step)}: ${point} ${mode}`;
  const acts = point.startsWith('und') && typeof step.undo !== 'string' ? step.undo : [step.run];
  return `${backward ? 'makes' : 'takes away'}, ${acts.map((act) => act.do).join(', ')}: ${point} ${mode}`;
}

/** What depends on the rest of the plan: the act is done and only the machine knows; the program died in the middle. */
const IN_EVERY_PLAN = ['acted alone', 'child-running both', 'undo-acted alone', 'whole ending'];

/** `npm run test:crash` asks for all of them; so does who works on a step. */
const EVERY = process.env.CAIRN_CRASH === 'every' || CELLS !== null;

/** @returns whether it is the first that says so */
export type Claim = (meets: string) => boolean;

/** One folder for all files of a run, which run side by side: who makes a folder in it was the first (mkdir(2): EEXIST). */
export function claimIn(folder: string): Claim {
  return (meets) => {
    try {
      mkdirSync(join(folder, createHash('sha256').update(meets).digest('hex')));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  };
}

/**
 * Leaves out what another plan meets at the same point of the same kind of step, but for the points whose end depends
 * on the plan around them.
 */
export function notMet(cases: Case[], claim: Claim, every = EVERY): Case[] {
  const ours = new Set([...new Set(cases.map(({ meets }) => meets))].filter(claim));
  return cases.filter(
    ({ meets }) => every || ours.has(meets) || IN_EVERY_PLAN.some((point) => meets.endsWith(point)),
  );
}

export function casesOf(scenario: Scenario, steps: JournalStep[]): Case[] {
  const { kind, backward, cancelAfter } = scenario;
  // The name of a plan's only step may have a number in it that differs from case to case (a process).
  const only = steps.length === 1;
  const nameOf = ({ name }: JournalStep): string => (only ? '*' : name);
  const forward = steps.flatMap((step) =>
    forwardPoints(step).map(([point, mode]): Case => ({
      cell: `${only ? step.name.replace(/-\d+$/, '') : step.name} ${point} ${mode}`,
      specs: `${point}@${kind}/${nameOf(step)}:${mode}`,
      cancelAt: null,
      alone: mode === 'alone',
      afterEnd: false,
      meets: meetingOf(scenario, step, point, mode),
    })),
  );
  const whole = ['recorded', 'ending', 'ended'].map((point): Case => ({
    cell: `whole ${point}`,
    specs: `${point}@${kind}/*:alone`,
    cancelAt: null,
    alone: true,
    afterEnd: point === 'ended',
    meets: `whole ${point}`,
  }));
  const last = steps.find((step) => step.name === cancelAfter) ?? steps.at(-1);
  const chosen = (cases: Case[]): Case[] =>
    cases.filter(
      ({ cell }) => !(scenario.never ?? []).includes(cell) && (CELLS === null || CELLS.test(cell)),
    );
  const ahead = scenario.forward === false ? [] : [...whole, ...forward];
  if (!backward || !last) return chosen(ahead);
  const hold = `done@${kind}/${last.name}:wait-20000`;
  const reached = steps.slice(0, steps.indexOf(last) + 1);
  const back = reached.flatMap((step, index) => {
    const over = isOver(step, reached.slice(index + 1)) || (scenario.over ?? []).includes(step.name);
    const points = backPoints(step).filter(([point]) => !over || !UNDO_ACTS.includes(point));
    return points.map(([point, mode]): Case => ({
      cell: `${step.name} ${point} ${mode}`,
      specs: `${hold},${point}@${kind}/${step.name}:${mode}`,
      cancelAt: last.name,
      alone: mode === 'alone',
      afterEnd: false,
      meets: meetingOf(scenario, step, point, mode),
    }));
  });
  return chosen([...ahead, ...back]);
}
