/**
 * What machines used in the last months: one question for all of them every five minutes, each answer the average since the
 * one before. After two days an average for each hour stays.
 */
import type { VmUsage } from '$lib/plugin-api/vm';
import { SAMPLE_SPANS, type VmSampleRange, type VmUsageSample } from '$lib/shared/wire/vm-usage';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Logger } from '../log';
import { sampleOf } from './usage';
import { averagesSince, forgetBefore, insertSamples, makeCoarse } from './usage-history-store';

const HOUR_MS = 3_600_000;
const FINE_MS = 48 * HOUR_MS;
/** More points than pixels are no use. */
const MOST_POINTS = 300;

export interface VmUsageHistory {
  /** Averages of equal parts of the time, oldest first. */
  range(vmId: string, range: VmSampleRange): VmUsageSample[];
  /** By the clock, every five minutes. */
  take(): Promise<void>;
  /** By the clock, each night. */
  thin(): void;
}

export function createVmUsageHistory(deps: {
  db: Db;
  clock: Clock;
  plugins: { vmPlugins(): string[]; vmUsage(id: string): Promise<VmUsage[]> };
  /** CPUs of the machines that we know, by id. */
  cpus: () => Map<string, number>;
  log: Pick<Logger, 'debug'>;
}): VmUsageHistory {
  const { db, clock, plugins } = deps;
  let before = new Map<string, { usage: VmUsage; elapsed: number }>();

  async function ask(): Promise<VmUsage[] | null> {
    try {
      return (await Promise.all(plugins.vmPlugins().map((id) => plugins.vmUsage(id)))).flat();
    } catch (error) {
      // That an engine does not answer is told where its machines are shown; here only a line breaks off.
      deps.log.debug({ error }, 'what machines use could not be noted');
      return null;
    }
  }

  return {
    range(vmId, range) {
      const span = SAMPLE_SPANS[range];
      return averagesSince(db, vmId, clock.now() - span, Math.ceil(span / MOST_POINTS));
    },
    async take() {
      const cpus = deps.cpus();
      // Where no machine is, there may be no engine either: nobody is asked in vain for ever.
      if (cpus.size === 0) return;
      const usages = await ask();
      if (!usages) return;
      const [at, elapsed] = [clock.now(), clock.elapsed()];
      const next = new Map<string, { usage: VmUsage; elapsed: number }>();
      const rows: (VmUsageSample & { vmId: string })[] = [];
      for (const usage of usages) {
        next.set(usage.id, { usage, elapsed });
        const last = before.get(usage.id);
        const own = cpus.get(usage.id);
        if (!last || !own) continue;
        const sample = sampleOf(last.usage, usage, {
          ...{ at, cpus: own, seconds: (elapsed - last.elapsed) / 1_000 },
        });
        if (sample) rows.push({ vmId: usage.id, ...sample });
      }
      before = next;
      insertSamples(db, rows);
    },
    thin() {
      db.transaction((tx) => {
        const now = clock.now();
        forgetBefore(tx, now - SAMPLE_SPANS.quarter);
        // Whole hours only, so that the next night finds the same ones.
        makeCoarse(tx, Math.floor((now - FINE_MS) / HOUR_MS) * HOUR_MS, HOUR_MS);
      });
    },
  };
}
