/** A drive tests itself: starting is a step, waiting another. The test goes on when Cairn stops; taking back ends it. */
import { z } from 'zod';
import { looks, type Action } from '$lib/plugin-api/plan';
import { AppError } from '../errors';
import { PROGRAMS } from '../host/programs';
import { logMark } from '../host/self-test-looks';
import type { OperationDefinition, Prepared } from '../operations/types';
import { driveName } from './availability';
import type { Drives } from './drive';
import type { DriveHealths } from './health';
import { parseRequest } from './request';

export interface SelfTestParts {
  drives: Pick<Drives, 'get'>;
  driveHealth: Pick<DriveHealths, 'read' | 'of'>;
}

const request = z.strictObject({ driveId: z.string(), kind: z.enum(['short', 'long']) });
/** A long test of a large disk takes a day and more. */
const DEADLINE_MS = 5 * 86_400_000;
/** 4: "some command failed", which is also said when there was no test to be ended. */
const ABORT_EXITS = [0, 4];

export function selfTestOperation({ drives, driveHealth }: SelfTestParts): OperationDefinition {
  const smartctl = (argv: string[], drive: string, okExitCodes = [0]): Action => ({
    do: 'exec',
    program: PROGRAMS.smartctl,
    argv: [...argv, '--', { drive }],
    okExitCodes,
  });
  return {
    kind: 'drive.self-test',
    onInterrupt: 'continue',
    deadlineMs: DEADLINE_MS,
    record: {
      begin: () => undefined,
      succeed: () => undefined,
      takenBack: () => undefined,
      needsYou: () => undefined,
    },
    async prepare(asked): Promise<Prepared> {
      const { driveId, kind } = parseRequest(request, asked);
      const drive = drives.get(driveId);
      const name = driveName(drive);
      if (!drive.present) throw new AppError('drive_gone', `${name} is not plugged in.`);
      await driveHealth.read(driveId);
      const { selfTest, power } = driveHealth.of(driveId);
      if (selfTest.whyNot !== null) throw new AppError('not_supported', `${name}: ${selfTest.whyNot}`);
      if (selfTest.running) throw new AppError('drive_in_use', `${name} tests itself already.`);
      const log = logMark(selfTest.log);
      return {
        input: { driveId, kind },
        title: `${kind === 'short' ? 'Short' : 'Long'} self-test of ${name}`,
        subject: { type: 'drive', id: driveId, label: drive.serial ?? name },
        steps: [
          {
            name: 'start-self-test',
            title: `Start the ${kind} self-test`,
            run: smartctl(['--test', kind], driveId),
            undo: [smartctl(['--abort'], driveId, ABORT_EXITS)],
            look: looks.selfTestStarted(driveId, log),
          },
          {
            name: 'run-self-test',
            title: 'The drive tests itself',
            run: { do: 'wait' },
            undo: 'nothing',
            look: looks.selfTestEnded(driveId, log),
          },
        ],
        locks: [`self-test:${driveId}`],
        drives: [],
        erases: [],
        confirmText: null,
        notes: [
          'The drive can be used meanwhile; it is a little slower.',
          ...(power === 'standby' ? ['It sleeps: the test wakes it.'] : []),
        ],
      };
    },
  };
}
