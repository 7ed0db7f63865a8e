/** Which conditions of a drive hold now, for alerts: pure. What held before is given, so that a value at its limit does not flap. */
import type { DriveHealth, SmartCounters } from '$lib/shared/wire/drives';

export interface DriveFacts {
  /** For people: `Drive WD-1234`. */
  name: string;
  rotational: boolean | null;
  health: DriveHealth;
}
export interface EarlierFacts {
  /** Suffixes of the conditions that held after the last look. */
  held: ReadonlySet<string>;
  /** Counters of a week ago (`DriveHealths.weekAgo`): growth is what worries, not an old count. */
  counters: SmartCounters;
}
export interface DriveCondition {
  /** Names the condition of one drive: the alert's id is `drive:<id>:<suffix>`. */
  suffix:
    'failing' | 'reallocated' | 'unreadable-sectors' | 'temperature' | 'self-test' | 'worn' | 'transfer';
  kind: `drive.${string}`;
  severity: 'info' | 'warning' | 'critical';
  title: string;
  text: string;
  remedy: string;
  holds: boolean;
}

/** Above it is raised, five degrees below it is over. What makers allow: 60 °C for disks, 70 °C for flash. */
const HOT = { disk: 55, flash: 70 };
const COOLED_BY = 5;

export function temperatureHolds(celsius: number | null, rotational: boolean | null, held: boolean): boolean {
  if (celsius === null) return false;
  const limit = rotational === false ? HOT.flash : HOT.disk;
  return celsius >= (held ? limit - COOLED_BY + 1 : limit);
}

/**
 * Every condition that a drive can have, holding or not. A drive that never gave a reading has none.
 * A reading from before a sleep still counts, but for the temperature: who sleeps is not hot.
 */
export function driveConditions(now: DriveFacts, earlier: EarlierFacts): DriveCondition[] {
  const { name, rotational, health } = now;
  if (health.readAt === null) return [];
  const { counters } = health;
  const grown = (counter: keyof SmartCounters): number =>
    (counters[counter] ?? 0) - (earlier.counters[counter] ?? counters[counter] ?? 0);
  const celsius = health.power === 'standby' ? null : health.temperatureCelsius;
  const failedTest = health.selfTest.log.find((entry) => entry.result !== 'broken-off');
  return [
    {
      suffix: 'failing',
      kind: 'drive.failing',
      severity: 'critical',
      title: `${name} is failing`,
      text: health.text ?? 'The drive says that it is about to fail.',
      remedy: 'Replace it now, while it can still be read.',
      holds: health.status === 'failing',
    },
    {
      suffix: 'reallocated',
      kind: 'drive.reallocated',
      severity: 'warning',
      title: `${name} replaces more and more sectors`,
      text: `${grown('reallocated')} sectors were replaced by spare ones within a week, ${counters.reallocated ?? 0} in all.`,
      remedy: 'Run a long self-test. When the number goes on growing, replace the drive.',
      holds: grown('reallocated') > 0,
    },
    {
      suffix: 'unreadable-sectors',
      kind: 'drive.unreadable-sectors',
      severity: 'warning',
      title: `${name} has sectors that cannot be read`,
      text: `${counters.pending ?? 0} sectors wait to be replaced, ${counters.uncorrectable ?? 0} errors could not be corrected.`,
      remedy: 'Scrub its pool: what is damaged is written anew from another copy. Then run a long self-test.',
      holds: (counters.pending ?? 0) > 0 || grown('uncorrectable') > 0,
    },
    {
      suffix: 'temperature',
      kind: 'drive.temperature',
      severity: 'warning',
      title: `${name} is hot`,
      text: `It has ${celsius ?? '–'} °C.`,
      remedy: 'Check the fans and the filters, and whether air gets to the drive.',
      holds: temperatureHolds(celsius, rotational, earlier.held.has('temperature')),
    },
    {
      suffix: 'self-test',
      kind: 'drive.self-test',
      severity: 'critical',
      title: `${name} failed its self-test`,
      text: failedTest ? `${failedTest.kind}: ${failedTest.text}.` : 'A self-test failed.',
      remedy: 'Replace the drive, then test the old one again elsewhere.',
      holds: failedTest?.result === 'failed',
    },
    {
      suffix: 'worn',
      kind: 'drive.worn',
      severity: 'warning',
      title: `${name} is worn`,
      text: `${counters.wornPercent ?? 0} % of what its maker promises was written.`,
      remedy: 'Plan to replace it.',
      holds: (counters.wornPercent ?? 0) >= 90,
    },
    {
      suffix: 'transfer',
      kind: 'drive.transfer',
      severity: 'warning',
      title: `${name} has transfer errors`,
      text: `${grown('crc')} errors between drive and controller within a week.`,
      remedy: 'Push the plugs in again, or take another cable or bay.',
      holds: grown('crc') > 0,
    },
  ];
}
