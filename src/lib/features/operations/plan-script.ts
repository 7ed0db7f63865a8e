import type { PlanPreview } from '$lib/shared/wire/operations';

const comment = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ');

/** A plan as a shell script for reading and for running by hand. */
export function scriptOf(plan: PlanPreview): string {
  const head = [
    '#!/bin/sh',
    `# ${comment(plan.title)}`,
    '# The plan as Cairn showed it. Check the drives before you run it.',
  ];
  const erased = plan.erases.map(
    (one) => `# Erases ${comment(one.serial ?? one.driveId)}: ${comment(one.content.join('; '))}`,
  );
  const steps = plan.steps.flatMap((step, index) => [
    '',
    `# ${index + 1}. ${comment(step.title)}`,
    `# To take it back: ${comment(step.undo)}`,
    step.command,
  ]);
  return [...head, ...erased, 'set -eu', ...steps, ''].join('\n');
}
