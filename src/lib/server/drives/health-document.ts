/** What is shown of a drive's health, made of its last answer and its last reading: pure. */
import type { DriveHealth, SmartCounters } from '$lib/shared/wire/drives';
import type { SmartAnswer } from '../host/smart-answer';
import type { StoredReading } from './health-store';

export type DriveAnswer = (SmartAnswer | { kind: 'error'; text: string } | { kind: 'asked' }) & {
  askedAt: number;
};

const NO_SELF_TEST: DriveHealth['selfTest'] = {
  whyNot: 'Its health has not been read yet.',
  running: null,
  shortMinutes: null,
  longMinutes: null,
  log: [],
};
export const NO_HEALTH: DriveHealth = {
  status: 'unknown',
  text: 'Its health has not been read yet.',
  power: 'unknown',
  temperatureCelsius: null,
  powerOnHours: null,
  counters: {},
  attributes: [],
  selfTest: NO_SELF_TEST,
  readAt: null,
};

const sectors = (count: number): string => (count === 1 ? '1 sector' : `${count} sectors`);

/** What should be known although the drive calls itself healthy. */
export function worries({ pending = 0, uncorrectable = 0, wornPercent = 0 }: SmartCounters): string[] {
  return [
    ...(pending > 0 ? [`${sectors(pending)} cannot be read now.`] : []),
    ...(uncorrectable > 0 ? [`${uncorrectable} errors could not be corrected.`] : []),
    ...(wornPercent >= 100 ? [`It is worn past what its maker promises (${wornPercent} %).`] : []),
  ];
}

function ofReading({ readAt, reading }: StoredReading, power: DriveHealth['power']): DriveHealth {
  const { passed, reasons, ...values } = reading;
  const status = passed === null ? 'unknown' : passed ? 'passed' : 'failing';
  const said =
    passed === false && reasons.length === 0 ? ['The drive says that it is about to fail.'] : reasons;
  const silent = passed === null ? ['The drive does not say how it is.'] : [];
  const text = [...said, ...worries(reading.counters), ...silent].join(' ');
  return { ...values, status, text: text || null, power, readAt };
}

export function healthOf(answer: DriveAnswer | undefined, stored: StoredReading | undefined): DriveHealth {
  switch (answer?.kind) {
    case 'unsupported':
      return {
        ...NO_HEALTH,
        status: 'unsupported',
        text: answer.reason,
        selfTest: { ...NO_SELF_TEST, whyNot: answer.reason },
      };
    case 'error': {
      const before = stored ? ofReading(stored, 'unknown') : NO_HEALTH;
      // What it said last still holds; that it does not answer any more is said first.
      return {
        ...before,
        text: [answer.text, before.readAt === null ? null : before.text].filter(Boolean).join(' '),
        selfTest: { ...before.selfTest, running: null, whyNot: answer.text },
      };
    }
    case 'standby':
      return stored
        ? ofReading(stored, 'standby')
        : { ...NO_HEALTH, power: 'standby', text: 'It sleeps. Its health is read when it wakes.' };
    case 'reading':
      return ofReading({ readAt: answer.askedAt, reading: answer.reading }, 'active');
    default:
      return stored ? ofReading(stored, 'unknown') : NO_HEALTH;
  }
}
