/** Plans for people: the preview rows, the confirm code that is bound to them, and the shell script. */
import { createHash } from 'node:crypto';
import { isDriveRef, type Action, type DeviceRef, type Step } from '$lib/plugin-api/plan';
import { canonicalJson } from '$lib/shared/json';
import { UNDO_WORDS } from '$lib/shared/undo-words';
import type { PlanPreview } from '$lib/shared/wire/operations';
import { describeAction } from '../host/actions';
import type { Host } from '../host/types';
import type { StepRow } from './journal';
import type { Prepared } from './types';

/** Everything that decides what a plan does; paths such as /dev/sda are not in it, identities and contents are. */
export const planHash = (kind: string, prepared: Prepared): string =>
  createHash('sha256')
    .update(
      canonicalJson({
        kind,
        input: prepared.input,
        steps: prepared.steps,
        drives: prepared.drives,
        erases: prepared.erases.map((erasure) => [erasure.driveId, erasure.content]),
        ...(prepared.loses ? { loses: prepared.loses } : {}),
      }),
    )
    .digest('hex');

/** First 12 digits of the hash: short enough to read out, too long to guess by accident. */
export const confirmCodeOf = (kind: string, prepared: Prepared): string | null =>
  destroys(prepared)
    ? planHash(kind, { ...prepared, steps: prepared.confirmSteps ?? prepared.steps }).slice(0, 12)
    : null;

const destroys = ({ erases, loses = [] }: Prepared): boolean => erases.length + loses.length > 0;

export interface StepText {
  command: string;
  undo: string;
}

function undoText(undo: Step['undo'], describe: (action: Action) => string): string {
  if (undo === 'nothing') return UNDO_WORDS.nothing;
  if (undo === 'impossible') return UNDO_WORDS.impossible;
  if (undo.length === 0) return UNDO_WORDS.stops;
  return undo.map(describe).join('\n');
}

/** A step's lines with the device paths of now; a drive that is away is named by its id. */
export function stepText(host: Host, step: Pick<Step, 'run' | 'undo'>): StepText {
  const describe = (action: Action): string => describeAction(action, (ref) => host.blockDevices.pathOf(ref));
  return { command: describe(step.run), undo: undoText(step.undo, describe) };
}

export function previewOf(host: Host, kind: string, prepared: Prepared): PlanPreview {
  return {
    kind,
    title: prepared.title,
    steps: prepared.steps.map((step) => ({
      name: step.name,
      title: step.title,
      ...stepText(host, step),
      destroys: step.destroys ?? [],
    })),
    erases: prepared.erases,
    loses: prepared.loses ?? [],
    confirmCode: confirmCodeOf(kind, prepared),
    confirmText: destroys(prepared) ? prepared.confirmText : null,
    notes: prepared.notes,
  };
}

const comment = (text: string): string =>
  text
    .split('\n')
    .map((line) => `# ${line}`)
    .join('\n');

/**
 * The plan as a script that a person can read and run. Drives are named by their by-id link where they have one, so that
 * a script that is run later does not meet another drive under an old name.
 */
export function scriptOf(
  host: Host,
  title: string,
  steps: Pick<StepRow, 'title' | 'run' | 'undo'>[],
): string {
  const pathOf = (ref: DeviceRef): string | null => {
    if (!isDriveRef(ref)) return null;
    const drive = host.blockDevices.current().find((candidate) => candidate.id === ref.drive);
    if (!drive?.byId) return host.blockDevices.pathOf(ref);
    return ref.partition ? `${drive.byId}-part${ref.partition}` : drive.byId;
  };
  const describe = (action: Action): string => describeAction(action, pathOf);
  const parts = steps.map((step, index) =>
    [
      comment(`${index + 1}. ${step.title}`),
      describe(step.run),
      comment(`to take it back: ${undoText(step.undo, describe)}`),
    ].join('\n'),
  );
  return [
    '#!/bin/sh',
    comment(title),
    comment(
      'The steps that Cairn runs, in order. Cairn also checks before and after each one; this script does not.',
    ),
    'set -eu',
    '',
    parts.join('\n\n'),
    '',
  ].join('\n');
}
