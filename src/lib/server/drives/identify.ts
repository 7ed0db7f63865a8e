/** "Which one is it?": its lights blink for a while. Nothing is changed; cancelling ends it. */
import { z } from 'zod';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import type { Clock } from '../clock';
import { AppError } from '../errors';
import { locateSwitch } from '../host/identify';
import type { OperationDefinition, Prepared } from '../operations/types';
import { driveName } from './availability';
import type { Drives } from './drive';
import { parseRequest } from './request';

export interface IdentifyParts {
  drives: Pick<Drives, 'get'>;
  clock: Clock;
}

const LONGEST_SECONDS = 300;
export const blinkSeconds = z.number().int().min(1).max(LONGEST_SECONDS);
const request = z.strictObject({
  driveId: z.string(),
  seconds: blinkSeconds.default(LONGEST_SECONDS),
});

export function identifyOperation({ drives, clock }: IdentifyParts): OperationDefinition {
  return {
    kind: 'drive.identify',
    onInterrupt: 'continue',
    deadlineMs: (LONGEST_SECONDS + 60) * 1_000,
    record: {
      begin: () => undefined,
      succeed: () => undefined,
      takenBack: () => undefined,
      needsYou: () => undefined,
    },
    async prepare(asked): Promise<Prepared> {
      const { driveId, seconds } = parseRequest(request, asked);
      const drive = drives.get(driveId);
      const name = driveName(drive);
      if (drive.kernelName === null) throw new AppError('drive_gone', `${name} is not plugged in.`);
      const untilMs = clock.now() + seconds * 1_000;
      const { sizeBytes, rotational } = drive;
      const steps: Step[] = [
        {
          name: 'blink',
          title: 'Let its light blink',
          run: { do: 'blink', drive: driveId, sizeBytes, rotational, untilMs },
          undo: 'nothing',
          look: looks.blinked(driveId, untilMs),
        },
      ];
      if (locateSwitch(drive.kernelName) !== null) {
        const lit = looks.locateLit(driveId);
        const on = { do: 'set-locate', drive: driveId, on: true } as const;
        const off = { ...on, on: false };
        steps.unshift({ name: 'light-on', title: 'Light its bay', run: on, undo: [off], look: lit });
        steps.push({
          name: 'light-off',
          title: 'Switch the light off',
          run: off,
          undo: 'nothing',
          look: not(lit),
        });
      }
      return {
        input: { driveId, untilMs },
        title: `Let ${name} blink`,
        subject: { type: 'drive', id: driveId, label: drive.serial ?? name },
        steps,
        // It may blink while something else works on it: that is when one wants to know which one it is.
        locks: [`identify:${driveId}`],
        drives: [],
        erases: [],
        confirmText: null,
        notes: [
          steps.length > 1
            ? 'Its bay has a light of its own: that goes on, and the activity light of the drive blinks.'
            : 'Its bay has no light of its own: the drive is read in bursts, so that its activity light blinks.',
          ...(drive.health.power === 'standby' ? ['It sleeps: this wakes it.'] : []),
        ],
      };
    },
  };
}
