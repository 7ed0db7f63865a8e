/**
 * The host goes down: machines are shut down in the reverse of the order in which they start, each as an operation, so that what
 * the end of the power cuts off has its verdict at the next start. Those that do not start with the host go first; who has
 * the same order goes together; the next ones are asked when these are off.
 *
 * Only somebody at the local socket asks for this (systemd, when it stops the host). Stopping Cairn itself touches no machine.
 */
import type { JsonObject } from '$lib/shared/json';
import { vmRequest } from '$lib/shared/wire/vms';
import { toAppError } from '../errors';
import type { Prepared } from '../operations/types';
import { CAIRN } from '../pools/desired';
import type { Autostart } from './autostart';
import type { VmDeps } from './deps';
import { STOP_WITH_HOST, vmLock } from './kinds';
import { settingsOf } from './settings-store';
import { listVms, type VmRecord } from './store';
import { parse, prepared, recordOf, statusNow, wrongState } from './verb';

/** Before the first order. */
const NO_TURN = Number.POSITIVE_INFINITY;
/** So long what is being done to a machine may take before it is given up. */
const BUSY_MS = 120_000;

export interface HostStop {
  /** @returns whether every machine is off @param tell a line for people, as it goes on */
  stopAll(tell: (line: string) => void): Promise<boolean>;
}

export async function prepareStopWithHost(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  const { name, spec } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const status = await statusNow(deps, record);
  if (status !== 'running' && status !== 'paused' && status !== 'stopping')
    throw wrongState(`"${name}" is off already.`);
  const { hostStopSeconds, hostStopThen } = settingsOf(deps.db, record.id);
  const otherwise = plugin.memory ? hostStopThen : 'switch-off';
  const fromMs = deps.clock.now();
  const time = { fromMs, untilMs: fromMs + hostStopSeconds * 1_000 };
  // It would not notice its button; what it has in its memory is kept.
  const sleeps = status === 'paused';
  const then = otherwise === 'save' ? 'its memory is saved' : 'it is switched off';
  return prepared(plugin, record, {
    title: `Stop ${name} with the host`,
    steps:
      sleeps && plugin.memory ? plugin.memory.save(spec) : plugin.stop(spec, sleeps ? null : time, otherwise),
    notes: [
      sleeps
        ? 'It is paused: its memory is saved.'
        : `When it has not shut down after ${hostStopSeconds} s, ${then}.`,
    ],
  });
}

type Deps = Pick<VmDeps, 'db' | 'log' | 'operations' | 'plugins' | 'readings'> & {
  autostart: Pick<Autostart, 'stop'>;
};

export function createHostStop({ db, log, operations, plugins, readings, autostart }: Deps): HostStop {
  const turnOf = ({ id }: VmRecord): number => {
    const { autostart: starts, startOrder } = settingsOf(db, id);
    return starts ? startOrder : NO_TURN;
  };
  const isOn = ({ plugin, id }: VmRecord): boolean =>
    ['running', 'paused', 'stopping'].includes(readings.of(plugin, id));
  const readAll = async (): Promise<void> => {
    await Promise.all(plugins.vmPlugins().map((plugin) => readings.refresh(plugin)));
  };

  /** What is being done to it has its time to end. */
  async function untilFree(id: string): Promise<void> {
    const holder = operations.holderId(vmLock(id));
    if (holder === null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, BUSY_MS)));
    await Promise.race([operations.wait(holder), late]).finally(() => clearTimeout(timer));
  }
  async function stop(record: VmRecord, tell: (line: string) => void): Promise<boolean> {
    const { id, name, plugin } = record;
    try {
      await untilFree(id);
      await readings.refresh(plugin);
      if (!isOn(record)) return true;
      const asked = await operations.start({ kind: STOP_WITH_HOST, request: { vmId: id }, actor: CAIRN });
      // Only now: who hears it finds the operation in the journal.
      tell(`Stopping ${name}`);
      const { state, error } = await operations.wait(asked.id);
      const isOff = readings.of(plugin, id) === 'saved' ? 'saved' : 'off';
      tell(state === 'succeeded' ? `${name} is ${isOff}` : `${name}: ${error?.message ?? state}`);
      return state === 'succeeded';
    } catch (thrown) {
      const error = toAppError(thrown);
      log.error({ error, machine: name }, 'a machine was not stopped with the host');
      tell(`${name}: ${error.message}`);
      return false;
    }
  }

  return {
    async stopAll(tell) {
      await autostart.stop();
      await readAll();
      const groups = Map.groupBy(
        listVms(db).filter(({ state }) => state !== 'failed'),
        turnOf,
      );
      let all = true;
      for (const [, group] of [...groups].sort(([a], [b]) => b - a))
        all = (await Promise.all(group.map((record) => stop(record, tell)))).every(Boolean) && all;
      tell(all ? 'Every machine is off.' : 'Not every machine is off.');
      return all;
    },
  };
}
