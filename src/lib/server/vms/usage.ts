/**
 * What machines use: one question for all of them, every two seconds, and only while somebody looks. The last minutes are
 * kept in memory, so that who comes next to a page sees a line and not a dot.
 */
import type { VmUsage } from '$lib/plugin-api/vm';
import {
  USAGE_EVERY_MS,
  USAGE_SPAN_MS,
  type VmUsageSample,
  type VmUsageUpdate,
} from '$lib/shared/wire/vm-usage';
import type { Clock } from '../clock';
import type { Logger } from '../log';

/** @returns null when a counter went back: it was switched off and on in between */
export function sampleOf(
  before: VmUsage,
  now: VmUsage,
  { at, seconds, cpus }: { at: number; seconds: number; cpus: number },
): VmUsageSample | null {
  const rates = {
    cpuPercent: (now.cpuNs - before.cpuNs) / (seconds * cpus * 1e7),
    readRate: (now.readBytes - before.readBytes) / seconds,
    writeRate: (now.writtenBytes - before.writtenBytes) / seconds,
    receiveRate: (now.receivedBytes - before.receivedBytes) / seconds,
    sendRate: (now.sentBytes - before.sentBytes) / seconds,
  };
  if (Object.values(rates).some((rate) => rate < 0)) return null;
  return { at, memoryBytes: now.memoryBytes, ...rates };
}

export interface VmUsages {
  /** Samples until the signal aborts: first those that are kept, then each as it is taken. */
  follow(vmId: string | null, signal: AbortSignal | undefined): AsyncGenerator<VmUsageUpdate, void>;
  /** The newest samples, by machine; none of a machine at which nobody looks now. */
  latest(): Record<string, VmUsageSample>;
  stop(): void;
}

export function createVmUsages(deps: {
  plugins: { vmPlugins(): string[]; vmUsage(id: string): Promise<VmUsage[]> };
  /** CPUs of the machines that we know, by id. */
  cpus: () => Map<string, number>;
  clock: Clock;
  log: Pick<Logger, 'debug'>;
}): VmUsages {
  const { plugins, clock, log } = deps;
  const watchers = new Set<(update: VmUsageUpdate) => void>();
  const kept = new Map<string, VmUsageSample[]>();
  let before = new Map<string, { usage: VmUsage; elapsed: number }>();
  let timer: NodeJS.Timeout | undefined;
  let taking = false;

  function keep(id: string, sample: VmUsageSample): void {
    const samples = (kept.get(id) ?? []).filter(({ at }) => at > sample.at - USAGE_SPAN_MS);
    kept.set(id, [...samples, sample]);
  }
  function note(usages: VmUsage[]): VmUsageUpdate {
    const cpus = deps.cpus();
    const [at, elapsed] = [clock.now(), clock.elapsed()];
    const update: VmUsageUpdate = {};
    const next = new Map<string, { usage: VmUsage; elapsed: number }>();
    for (const usage of usages) {
      next.set(usage.id, { usage, elapsed });
      const last = before.get(usage.id);
      const own = cpus.get(usage.id);
      if (!last || !own) continue;
      const seconds = (elapsed - last.elapsed) / 1_000;
      const sample = sampleOf(last.usage, usage, { at, seconds, cpus: own });
      if (!sample) continue;
      keep(usage.id, sample);
      update[usage.id] = [sample];
    }
    before = next;
    for (const id of kept.keys()) if (!cpus.has(id)) kept.delete(id);
    return update;
  }
  async function take(): Promise<void> {
    if (taking) return;
    taking = true;
    try {
      const usages = await Promise.all(plugins.vmPlugins().map((id) => plugins.vmUsage(id)));
      const update = note(usages.flat());
      for (const tell of watchers) tell(update);
    } catch (error) {
      log.debug({ error }, 'what machines use could not be read');
    } finally {
      taking = false;
    }
  }
  function watch(tell: (update: VmUsageUpdate) => void): () => void {
    watchers.add(tell);
    if (watchers.size === 1) {
      // Rates over a pause in which nobody looked would be averages that look like moments.
      before = new Map();
      void take();
      timer = setInterval(() => void take(), USAGE_EVERY_MS);
      timer.unref();
    }
    return () => {
      watchers.delete(tell);
      if (watchers.size === 0) clearInterval(timer);
    };
  }
  /** The last minutes: what was kept before a pause in which nobody looked would be shown as of now. */
  function recent(): VmUsageUpdate {
    const since = clock.now() - USAGE_SPAN_MS;
    const fresh = [...kept].map(([id, samples]) => [id, samples.filter(({ at }) => at > since)] as const);
    return Object.fromEntries(fresh.filter(([, samples]) => samples.length > 0));
  }
  const only = (update: VmUsageUpdate, vmId: string | null): VmUsageUpdate => {
    if (vmId === null) return update;
    const samples = update[vmId];
    return samples ? { [vmId]: samples } : {};
  };

  return {
    latest() {
      const since = clock.now() - 3 * USAGE_EVERY_MS;
      const last = [...kept].flatMap(([id, samples]) => {
        const sample = samples.at(-1);
        return sample && sample.at > since ? [[id, sample] as const] : [];
      });
      return Object.fromEntries(last);
    },
    async *follow(vmId, signal) {
      let waiting: VmUsageUpdate[] = [only(recent(), vmId)];
      let wake: (() => void) | null = null;
      const end = watch((update) => {
        waiting.push(only(update, vmId));
        wake?.();
      });
      const onAbort = (): void => wake?.();
      signal?.addEventListener('abort', onAbort);
      try {
        while (!signal?.aborted) {
          const updates = waiting;
          waiting = [];
          for (const update of updates) if (Object.keys(update).length > 0) yield update;
          if (waiting.length > 0 || signal?.aborted) continue;
          await new Promise<void>((resolve) => (wake = resolve));
          wake = null;
        }
      } finally {
        signal?.removeEventListener('abort', onAbort);
        end();
      }
    },
    stop: () => clearInterval(timer),
  };
}
