/** What the engines say of all machines, as last read: again on every word of theirs, and never one machine at a time. */
import type { VmReading, VmStatus } from '$lib/plugin-api/vm';
import type { Bus } from '../events/bus';
import type { Logger } from '../log';
import type { Plugins } from '../plugins/registry';

export interface VmReadings {
  /** missing: its engine does not know it. unknown: the engine did not answer, or has not been asked yet. */
  of(plugin: string, id: string): VmStatus | 'missing' | 'unknown';
  /** Every machine of an engine, ours or not; null: it did not answer. */
  all(plugin: string): VmReading[] | null;
  /** Why it did not answer. */
  reason(plugin: string): string | null;
  start(): void;
  stop(): Promise<void>;
  /** Resolves when what was asked from now on is there. */
  refresh(plugin: string): Promise<void>;
}

/** Changes come in bundles, and what is certain is shown without asking: one question for all of a moment. */
const GATHER_MS = 100;

type Answer = { machines: Map<string, VmReading> } | { reason: string };

export function createVmReadings(deps: {
  plugins: Pick<Plugins, 'vmPlugins' | 'readVms' | 'recheck' | 'knownVm'>;
  bus: Bus;
  log: Logger;
  /** All of them were read again, or could not be. */
  changed: () => void;
  /** One of them was told of. */
  told: (id: string) => void;
}): VmReadings {
  const { plugins, bus, log, changed } = deps;
  const answers = new Map<string, Answer>();
  const asking = new Map<string, { now: Promise<void>; next: Promise<void> | null }>();
  const unsubscribe: (() => void)[] = [];
  let stopped = false;

  /** What an engine has told of machines by itself since it was last asked: its answer may be older, the next one is not. */
  const told = new Map<string, Map<string, VmStatus>>();

  async function ask(id: string): Promise<void> {
    const meanwhile = new Map<string, VmStatus>();
    told.set(id, meanwhile);
    try {
      const readings = await plugins.readVms(id);
      const machines = readings.map((reading): [string, VmReading] => [
        reading.id,
        { ...reading, status: meanwhile.get(reading.id) ?? reading.status },
      ]);
      answers.set(id, { machines: new Map(machines) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // Pages show it for as long as it is so: in the log a line is enough.
      if (!stopped) log.warn({ reason, plugin: id }, 'the machines could not be read');
      log.debug({ error, plugin: id }, 'why the machines could not be read');
      answers.set(id, { reason });
    }
    if (!stopped) changed();
  }
  /** An answer that was under way when something changed may be older than the change: one more follows it. */
  function refresh(id: string): Promise<void> {
    if (stopped) return Promise.resolve();
    const current = asking.get(id);
    if (current) return (current.next ??= current.now.then(() => refresh(id)));
    const now = ask(id).finally(() => asking.delete(id));
    asking.set(id, { now, next: null });
    return now;
  }
  /** What is certain is shown at once: asking takes longer than anything else on the way to a page. */
  function hear(id: string, said: string | undefined): void {
    const word = said === undefined ? null : (plugins.knownVm(id).hears?.(said) ?? null);
    const answer = answers.get(id);
    if (!word || !answer || !('machines' in answer)) return;
    const reading = [...answer.machines.values()].find(({ name }) => name === word.name);
    if (!reading) return;
    told.get(id)?.set(reading.id, word.status);
    answer.machines.set(reading.id, { ...reading, status: word.status });
    deps.told(reading.id);
  }
  const timers = new Map<string, NodeJS.Timeout>();
  function refreshSoon(id: string): void {
    if (timers.has(id)) return;
    timers.set(
      id,
      setTimeout(() => {
        timers.delete(id);
        void refresh(id);
      }, GATHER_MS),
    );
  }

  return {
    of(plugin, id) {
      const answer = answers.get(plugin);
      if (!answer || !('machines' in answer)) return 'unknown';
      return answer.machines.get(id)?.status ?? 'missing';
    },
    all(plugin) {
      const answer = answers.get(plugin);
      return answer && 'machines' in answer ? [...answer.machines.values()] : null;
    },
    reason(plugin) {
      const answer = answers.get(plugin);
      return answer && 'reason' in answer ? answer.reason : null;
    },
    start() {
      unsubscribe.push(
        bus.on('machines.changed', ({ plugin, said }) => {
          hear(plugin, said);
          refreshSoon(plugin);
        }),
        // It went (the engine was stopped), or is back: either way what was read is old.
        bus.on('source.changed', ({ name, ok }) => {
          if (!plugins.vmPlugins().includes(name)) return;
          // Who sees machines again can use them: the check comes first. That they are gone is told at once.
          if (ok) void plugins.recheck(name).then(() => refresh(name));
          else void Promise.all([refresh(name), plugins.recheck(name)]);
        }),
        bus.on('vm.changed', () => plugins.vmPlugins().forEach(refreshSoon)),
      );
      for (const id of plugins.vmPlugins()) void refresh(id);
    },
    async stop() {
      stopped = true;
      for (const end of unsubscribe) end();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all([...asking.values()].map(({ now }) => now));
    },
    refresh,
  };
}
