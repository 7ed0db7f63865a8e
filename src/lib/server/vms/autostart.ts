/**
 * Machines that start with the host: once in each boot of it, in their order, each as an operation. A mere restart of Cairn
 * starts nothing: who stopped a machine by hand does not find it running again.
 *
 * What is left to do is a question to the records, so there is nothing to lose: a machine is due until an operation has
 * begun to start or stop it in this boot, written in the very transaction that begins it. One whose pool is not there yet
 * does not hold up the others; it starts when the pool is mounted.
 */
import { AppError, toAppError } from '../errors';
import { CAIRN } from '../pools/desired';
import { isReady } from '../pools/when-ready';
import type { VmDeps } from './deps';
import { START, vmLock } from './kinds';
import { needsImage } from './needed-images';
import { endTurn, isDue, settingsOf } from './settings-store';
import { listVms, NO_POOL, type VmRecord } from './store';

/** So long the order is kept for a machine whose pool is being mounted: what hangs does not keep the others off. */
const PATIENCE_MS = 60_000;
/** It could not even begin: asked again when something has changed. */
const STILL_DUE = new Set(['locked', 'pool_wrong_state', 'plugin_unavailable']);

export interface Autostart {
  /** After pools have begun to be mounted. Answers at once; what is due goes on by itself. */
  start(): void;
  stop(): Promise<void>;
}

type Deps = Pick<
  VmDeps,
  'db' | 'bus' | 'clock' | 'host' | 'images' | 'log' | 'operations' | 'pools' | 'readings'
>;
/** soon: what it needs is being brought about, so the others wait for it. late: they do not. */
type Gate = 'ready' | 'soon' | 'late';

export function createAutostart(deps: Deps): Autostart {
  const { db, bus, clock, host, images, log, operations, pools, readings } = deps;
  const stopping = new AbortController();
  const stopped = new Promise<null>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(null), { once: true }),
  );
  /** Refused for a moment; cleared by whatever changes. */
  const refused = new Set<string>();
  let soonUntil = 0;
  let round: Promise<void> = Promise.resolve();

  function due(): VmRecord[] {
    return listVms(db)
      .map((record) => ({ record, settings: settingsOf(db, record.id) }))
      .filter(({ record, settings }) => record.state === 'ready' && isDue(settings, host.bootId()))
      .sort((a, b) => a.settings.startOrder - b.settings.startOrder)
      .map(({ record }) => record);
  }
  /** The pool of its disk, and that of what lies below its disk or in its drive. */
  function poolsOf(record: VmRecord): string[] {
    const needed = images.list().filter((image) => needsImage(record, image));
    const own = record.poolGuid === NO_POOL ? [] : [record.poolGuid];
    return [...own, ...needed.flatMap(({ pool }) => (pool ? [pool.guid] : []))];
  }
  function poolGate(guid: string): Gate {
    const pool = pools.list().find((one) => one.guid === guid);
    if (!pool) return 'late';
    if (isReady(pool)) return 'ready';
    const isAtWork = operations.holder(`pool:${guid}`)?.state === 'running';
    return isAtWork && clock.elapsed() < soonUntil ? 'soon' : 'late';
  }
  function gateOf(record: VmRecord): Gate {
    if (refused.has(record.id) || readings.of(record.plugin, record.id) === 'unknown') return 'late';
    if (operations.holderId(vmLock(record.id)) !== null) return 'late';
    const gates = poolsOf(record).map(poolGate);
    return gates.includes('late') ? 'late' : gates.includes('soon') ? 'soon' : 'ready';
  }
  /** The first whose turn it is; null: nobody's yet. */
  function next(): VmRecord | null {
    for (const record of due()) {
      const gate = gateOf(record);
      if (gate === 'late') continue;
      return gate === 'ready' ? record : null;
    }
    return null;
  }

  const end = (record: VmRecord, text: string | null = null): void => {
    endTurn(db, record.id, host.bootId(), text);
    bus.emit('vm.changed', { id: record.id });
  };
  /** @returns whether the next one is to wait for it */
  async function begin(record: VmRecord): Promise<boolean> {
    const { id: vmId, name, plugin } = record;
    const status = readings.of(plugin, vmId);
    if (status === 'running' || status === 'paused' || status === 'stopping') {
      end(record);
      return false;
    }
    try {
      const { id } = await operations.start({ kind: START, request: { vmId }, actor: CAIRN });
      const ended = await Promise.race([operations.wait(id), stopped]);
      if (!ended) return false;
      const { state, error } = ended;
      if (state === 'succeeded') return true;
      // Somebody did not want it.
      if (state === 'cancelled') return false;
      throw new AppError('postcondition', error?.message ?? `Its start is ${state}.`);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (STILL_DUE.has(error.code)) refused.add(vmId);
      else {
        log.error({ error, machine: name }, 'a machine could not be started with the host');
        end(record, error.message);
      }
      return false;
    }
  }

  /** Resolves with the next change, or when the time is over, or at once when Cairn stops. */
  function pause(ms: number | null, wakes: boolean): Promise<null> {
    const { promise, resolve } = Promise.withResolvers<null>();
    const ends = wakes ? [bus.on('vms.changed', () => resolve(null))] : [];
    const timer = ms === null ? undefined : setTimeout(() => resolve(null), ms);
    return Promise.race([promise, stopped]).finally(() => {
      for (const off of ends) off();
      clearTimeout(timer);
    });
  }
  async function run(): Promise<void> {
    while (!stopping.signal.aborted && due().length > 0) {
      const record = next();
      if (record === null) {
        const left = soonUntil - clock.elapsed();
        await pause(left > 0 ? left : null, true);
        refused.clear();
      } else if (await begin(record)) await pause(settingsOf(db, record.id).startDelaySeconds * 1_000, false);
    }
  }

  return {
    start() {
      soonUntil = clock.elapsed() + PATIENCE_MS;
      round = run().catch((error: unknown) => log.error({ error }, 'starting machines with the host failed'));
    },
    async stop() {
      stopping.abort();
      await round;
    },
  };
}
