/**
 * What `smartctl --json` says about a drive, as data: pure. Output that is not understood is an error, never "healthy".
 * Sources: smartctl(8) 7.0 to 7.5 (exit status, -n, -j), ATA ACS-4 (self-test status), NVMe 1.4 (health log, critical warning).
 */
import { z } from 'zod';
import type { DriveAttribute, SmartCounters } from '$lib/shared/wire/drives';
import { AppError } from '../errors';
import {
  nvmeSelfTest,
  ataSelfTest,
  scsiSelfTest,
  selfTestFields,
  type SelfTestReading,
} from './smart-self-test';

export interface SmartReading {
  /** What the drive says of itself; null: it does not say. */
  passed: boolean | null;
  /** Why it is failing, a sentence each. */
  reasons: string[];
  temperatureCelsius: number | null;
  powerOnHours: number | null;
  counters: SmartCounters;
  /** ATA only: the vendor's table. */
  attributes: DriveAttribute[];
  selfTest: SelfTestReading;
}
export type SmartAnswer =
  | { kind: 'reading'; reading: SmartReading }
  /** It sleeps, and was left asleep. */
  | { kind: 'standby' }
  /** There is nothing to ask: virtual drives, bridges that pass nothing on. */
  | { kind: 'unsupported'; reason: string };

/** `-n standby,3`: bits 0 and 1 together, which smartctl itself never gives (one excludes the other). */
export const STANDBY_EXIT = 3;
/** Bits of the exit status. The others speak of the drive's health, which the document tells better. */
const NOT_UNDERSTOOD = 1;
const NOT_OPENED = 2;

const count = z.number().int().nonnegative();
const attribute = z.looseObject({
  id: count,
  name: z.string(),
  // Left out where the drive has none.
  value: z.number().int().default(0),
  worst: z.number().int().default(0),
  thresh: z.number().int().default(0),
  when_failed: z.string().default(''),
  raw: z.looseObject({ value: z.number(), string: z.string() }),
});
const errorCounter = z.looseObject({ total_uncorrected_errors: count.optional() });
const document = z.looseObject({
  json_format_version: z.tuple([z.literal(1), z.number()]),
  smartctl: z.looseObject({
    version: z.array(z.number()).optional(),
    exit_status: count,
    messages: z.array(z.looseObject({ string: z.string(), severity: z.string() })).default([]),
  }),
  device: z.looseObject({ protocol: z.string() }).optional(),
  smart_support: z.looseObject({ available: z.boolean(), enabled: z.boolean().optional() }).optional(),
  smart_status: z.looseObject({ passed: z.boolean() }).optional(),
  temperature: z.looseObject({ current: z.number().int().optional() }).optional(),
  power_on_time: z.looseObject({ hours: count }).optional(),
  ata_smart_attributes: z.looseObject({ table: z.array(attribute).default([]) }).optional(),
  endurance_used: z.looseObject({ current_percent: count }).optional(),
  nvme_smart_health_information_log: z
    .looseObject({
      critical_warning: count,
      media_errors: count,
      percentage_used: count,
      available_spare: count,
      power_on_hours: count.optional(),
    })
    .optional(),
  scsi_grown_defect_list: count.optional(),
  scsi_error_counter_log: z.record(z.string(), errorCounter).optional(),
  ...selfTestFields,
});
export type SmartDocument = z.infer<typeof document>;

const notUnderstood = (output: string, cause?: unknown): AppError =>
  new AppError('parse_failed', 'smartctl said something that is not understood.', {
    details: { tool: 'smartctl', output: output.slice(0, 500) },
    cause,
  });

function parseDocument(output: string): SmartDocument {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch (cause) {
    throw notUnderstood(output, cause);
  }
  const parsed = document.safeParse(value);
  if (!parsed.success) throw notUnderstood(output, parsed.error);
  return parsed.data;
}

/** Attributes whose raw value is a plain count on every drive that has them. */
const ATA_COUNTERS = {
  5: 'reallocated',
  197: 'pending',
  198: 'uncorrectable',
  199: 'crc',
} as const satisfies Record<number, keyof SmartCounters>;

/** Some firmware keeps more than the count in the 48 bits: the low half is the count then. */
const rawCount = (value: number): number => (value > 0xffff_ffff ? value % 0x1_0000 : value);

function countersOf(found: SmartDocument): SmartCounters {
  const counters: SmartCounters = {};
  for (const { id, raw } of found.ata_smart_attributes?.table ?? []) {
    const name = ATA_COUNTERS[id as keyof typeof ATA_COUNTERS] as keyof SmartCounters | undefined;
    if (name) counters[name] = rawCount(raw.value);
  }
  if (found.endurance_used) counters.wornPercent = found.endurance_used.current_percent;
  const nvme = found.nvme_smart_health_information_log;
  if (nvme) {
    counters.uncorrectable = nvme.media_errors;
    counters.wornPercent = nvme.percentage_used;
  }
  if (found.scsi_grown_defect_list !== undefined) counters.reallocated = found.scsi_grown_defect_list;
  const errors = Object.values(found.scsi_error_counter_log ?? {});
  if (errors.length > 0)
    counters.uncorrectable = errors.reduce((sum, one) => sum + (one.total_uncorrected_errors ?? 0), 0);
  return counters;
}

/** NVMe base specification, SMART / Health Information, critical warning. */
const NVME_WARNINGS: [bit: number, text: string][] = [
  [0x01, 'Its spare blocks are nearly used up.'],
  [0x02, 'It is hotter or colder than it may be.'],
  [0x04, 'It has made too many errors to be relied on.'],
  [0x08, 'It has made itself read-only.'],
  [0x10, 'The backup of its memory against power cuts does not work.'],
  [0x20, 'Its persistent memory is unreliable or read-only.'],
];
const TOO_HOT = 0x02;

function reasonsOf(found: SmartDocument): string[] {
  const worn = (found.ata_smart_attributes?.table ?? [])
    .filter((one) => one.when_failed === 'now')
    .map((one) => `${one.name.replaceAll('_', ' ')} is below its limit (${one.value}, limit ${one.thresh}).`);
  const warning = found.nvme_smart_health_information_log?.critical_warning ?? 0;
  return [...worn, ...NVME_WARNINGS.filter(([bit]) => warning & bit).map(([, text]) => text)];
}

/** smartctl calls an NVMe drive failing when it is only too hot: that passes, and is told by its temperature. */
function passedOf(found: SmartDocument): boolean | null {
  const warning = found.nvme_smart_health_information_log?.critical_warning;
  if (warning === TOO_HOT) return true;
  return found.smart_status?.passed ?? null;
}

const attributesOf = (found: SmartDocument): DriveAttribute[] =>
  (found.ata_smart_attributes?.table ?? []).map(({ id, name, value, worst, thresh, raw, when_failed }) => ({
    id,
    name,
    value,
    worst,
    threshold: thresh,
    raw: raw.string,
    failed: when_failed === 'now' ? 'now' : when_failed === 'past' ? 'past' : null,
  }));

function selfTestOf(found: SmartDocument): SelfTestReading {
  switch (found.device?.protocol) {
    case 'ATA':
      return ataSelfTest(found);
    case 'NVMe':
      return nvmeSelfTest(found);
    default:
      return scsiSelfTest(found);
  }
}

/** QEMU and many USB bridges answer 0 for "does not know". */
const temperatureOf = (found: SmartDocument): number | null => found.temperature?.current || null;

function readingOf(found: SmartDocument): SmartReading {
  return {
    passed: passedOf(found),
    reasons: reasonsOf(found),
    temperatureCelsius: temperatureOf(found),
    powerOnHours:
      found.power_on_time?.hours ?? found.nvme_smart_health_information_log?.power_on_hours ?? null,
    counters: countersOf(found),
    attributes: attributesOf(found),
    selfTest: selfTestOf(found),
  };
}

/**
 * @param exitCode of smartctl, called with `-n standby,3`
 * @throws AppError parse_failed, command_failed when the drive could not be opened
 */
export function parseSmart(output: string, exitCode: number): SmartAnswer {
  const found = parseDocument(output);
  if (found.smartctl.exit_status !== exitCode)
    throw notUnderstood(`exit code ${exitCode}, but it says ${found.smartctl.exit_status}: ${output}`);
  if (exitCode === STANDBY_EXIT) return { kind: 'standby' };
  const said = found.smartctl.messages.map((message) => message.string).join(' ');
  if (exitCode & NOT_OPENED)
    throw new AppError('command_failed', `The drive did not answer smartctl: ${said || 'no reason given'}.`, {
      details: { tool: 'smartctl', exitCode },
    });
  // Without a device it did not get as far as asking one: a bus or bridge that it has no words for.
  if (exitCode & NOT_UNDERSTOOD) {
    if (found.device) throw notUnderstood(output);
    return { kind: 'unsupported', reason: `smartctl cannot talk to it: ${said || 'no reason given'}.` };
  }
  if (found.smart_support?.available === false)
    return { kind: 'unsupported', reason: 'The drive has no SMART data.' };
  if (found.smart_support?.enabled === false)
    return { kind: 'unsupported', reason: 'SMART is switched off in the drive.' };
  const reading = readingOf(found);
  if (reading.passed === null && reading.temperatureCelsius === null && reading.powerOnHours === null)
    throw notUnderstood(output);
  return { kind: 'reading', reading };
}
