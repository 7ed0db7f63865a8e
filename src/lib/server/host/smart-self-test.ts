/** Self-tests as the three kinds of drives tell them: pure. Sources: ACS-4 "self-test execution status", NVMe 1.4 log 06h, SPC-5. */
import { z } from 'zod';
import type { SelfTestEntry } from '$lib/shared/wire/drives';

export interface SelfTestReading {
  /** Null: the drive can test itself; else why not. */
  whyNot: string | null;
  /** A test that runs now; percent done, null when the drive does not tell. */
  running: { percent: number | null } | null;
  /** What the drive says how long a test takes. */
  shortMinutes: number | null;
  longMinutes: number | null;
  /** Newest first; without a test that runs. */
  log: SelfTestEntry[];
}

const value = z.number().int().nonnegative();
const percent = z.number().int().min(0).max(100);
const status = z.looseObject({
  value,
  string: z.string(),
  passed: z.boolean().optional(),
  remaining_percent: percent.optional(),
});
const ataLog = z.looseObject({
  table: z
    .array(
      z.looseObject({
        type: z.looseObject({ string: z.string() }),
        status,
        lifetime_hours: value,
        lba: value.optional(),
      }),
    )
    .default([]),
});
const scsiEntry = z.looseObject({
  code: z.looseObject({ string: z.string() }),
  result: z.looseObject({ value: value.optional(), string: z.string() }),
  power_on_time: z.looseObject({ hours: value.optional() }).optional(),
  self_test_in_progress: z.boolean().optional(),
  lba_first_failure: z.looseObject({ value: value }).optional(),
});

export const selfTestFields = {
  ata_smart_data: z
    .looseObject({
      self_test: z
        .looseObject({
          status,
          polling_minutes: z.looseObject({ short: value.optional(), extended: value.optional() }).optional(),
        })
        .optional(),
      capabilities: z.looseObject({ self_tests_supported: z.boolean() }).optional(),
    })
    .optional(),
  ata_smart_self_test_log: z
    .looseObject({ standard: ataLog.optional(), extended: ataLog.optional() })
    .optional(),
  nvme_self_test_log: z
    .looseObject({
      current_self_test_operation: z.looseObject({ value }).optional(),
      current_self_test_completion_percent: percent.optional(),
      table: z
        .array(
          z.looseObject({
            self_test_code: z.looseObject({ string: z.string() }),
            self_test_result: z.looseObject({ value, string: z.string() }),
            power_on_hours: value,
            lba: value.optional(),
          }),
        )
        .default([]),
    })
    .optional(),
  scsi_extended_self_test_seconds: value.optional(),
};
type Found = z.infer<z.ZodObject<typeof selfTestFields>> & Record<string, unknown>;

const IN_PROGRESS = 15;
/** Aborted by a person or a program, or cut by a reset: it says nothing about the drive. */
const ATA_BROKEN_OFF = [1, 2];
const NVME_BROKEN_OFF = [1, 2, 3, 4, 8, 9];
const SCSI_BROKEN_OFF = [1, 2];

const resultOf = (code: number, brokenOff: number[]): SelfTestEntry['result'] =>
  code === 0 ? 'passed' : brokenOff.includes(code) ? 'broken-off' : 'failed';

export function ataSelfTest(answer: Found): SelfTestReading {
  const data = answer.ata_smart_data;
  const now = data?.self_test?.status;
  const runs = now !== undefined && now.value >> 4 === IN_PROGRESS;
  const { standard, extended } = answer.ata_smart_self_test_log ?? {};
  return {
    whyNot: data?.capabilities?.self_tests_supported ? null : 'The drive has no self-tests.',
    running: runs
      ? { percent: now.remaining_percent === undefined ? null : 100 - now.remaining_percent }
      : null,
    shortMinutes: data?.self_test?.polling_minutes?.short ?? null,
    longMinutes: data?.self_test?.polling_minutes?.extended ?? null,
    log:
      (extended ?? standard)?.table.flatMap((entry): SelfTestEntry[] => {
        const code = entry.status.value >> 4;
        if (code === IN_PROGRESS) return [];
        return [
          {
            kind: entry.type.string,
            result: resultOf(code, ATA_BROKEN_OFF),
            text: entry.status.string,
            powerOnHours: entry.lifetime_hours,
            lba: entry.lba ?? null,
          },
        ];
      }) ?? [],
  };
}

export function nvmeSelfTest(answer: Found): SelfTestReading {
  const log = answer.nvme_self_test_log;
  const runs = (log?.current_self_test_operation?.value ?? 0) !== 0;
  return {
    // Before 7.4 smartctl takes the order for a self-test, says nothing, and does nothing.
    whyNot: log ? null : 'The drive has no self-tests, or this version of smartctl cannot start them.',
    running: runs ? { percent: log?.current_self_test_completion_percent ?? null } : null,
    shortMinutes: null,
    longMinutes: null,
    log: (log?.table ?? []).map((entry) => ({
      kind: entry.self_test_code.string,
      result: resultOf(entry.self_test_result.value, NVME_BROKEN_OFF),
      text: entry.self_test_result.string,
      powerOnHours: entry.power_on_hours,
      lba: entry.lba ?? null,
    })),
  };
}

export function scsiSelfTest(answer: Found): SelfTestReading {
  const seconds = answer.scsi_extended_self_test_seconds;
  const entries = Array.from({ length: 20 }, (_, index) =>
    scsiEntry.safeParse(answer[`scsi_self_test_${index}`]),
  )
    .filter((entry) => entry.success)
    .map((entry) => entry.data);
  const isRunning = (entry: z.infer<typeof scsiEntry>): boolean =>
    entry.self_test_in_progress === true || entry.result.value === IN_PROGRESS;
  return {
    whyNot: seconds || entries.length > 0 ? null : 'The drive has no self-tests.',
    running: entries.some(isRunning) ? { percent: null } : null,
    shortMinutes: null,
    longMinutes: seconds ? Math.ceil(seconds / 60) : null,
    log: entries
      .filter((entry) => !isRunning(entry))
      .map((entry) => ({
        kind: entry.code.string,
        result: resultOf(entry.result.value ?? 0, SCSI_BROKEN_OFF),
        text: entry.result.string,
        powerOnHours: entry.power_on_time?.hours ?? null,
        lba: entry.lba_first_failure?.value ?? null,
      })),
  };
}
