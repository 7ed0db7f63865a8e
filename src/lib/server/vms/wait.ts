/** Waiting for a machine, with a line for each thing that happens on the way. */
import { isLive } from '$lib/shared/states';
import type { Operation } from '$lib/shared/wire/operations';
import type { Vm, VmWaitLine, VmWaitRequest } from '$lib/shared/wire/vms';
import type { Services } from '../services';

const isOn = ({ state }: Vm): boolean => state === 'running' || state === 'paused';

/** How it ends; null: not yet. */
function endOf(vm: Vm, goal: VmWaitRequest['goal']): VmWaitLine | null {
  if (vm.state === 'failed-to-start')
    return { text: `"${vm.name}" could not be made. ${vm.stateText ?? ''}`.trim(), end: 'missed' };
  if (isOn(vm) && goal === 'on') return { text: `"${vm.name}" is on.`, end: 'reached' };
  if (isOn(vm) && vm.addresses.length > 0)
    return { text: `"${vm.name}" has the address ${vm.addresses.join(', ')}.`, end: 'reached' };
  if (isOn(vm) || vm.operationId !== null) return null;
  return { text: `"${vm.name}" is ${vm.state}, and nothing is done to it.`, end: 'missed' };
}

/** What has not been told yet of an operation: its steps as they begin, and why it failed. */
function newsOf({ id, title, steps, state, error }: Operation, told: Set<string>): string[] {
  // By its place in the plan: one that was begun and told may be skipped afterwards.
  const begun = steps.flatMap((step, index): [string, string][] =>
    ['pending', 'skipped'].includes(step.state) ? [] : [[`${id}/${index}`, step.title]],
  );
  const news: [string, string][] = [
    [id, title],
    ...begun,
    ...(state === 'undoing' || (error && !isLive(state))
      ? [[`${id}/error`, error?.message ?? 'It is taken back.'] as [string, string]]
      : []),
  ];
  const untold = news.filter(([key]) => !told.has(key));
  for (const [key] of untold) told.add(key);
  return untold.map(([, text]) => text);
}

/**
 * Ends with a line that says how: the goal was reached, or it will not be (it failed, it is off, the time is over).
 * @throws AppError vm_not_found
 */
export async function* waitForVm(
  { vms, operations, bus }: Pick<Services, 'vms' | 'operations' | 'bus'>,
  { vmId, goal, seconds }: VmWaitRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<VmWaitLine, void> {
  const { name } = vms.get(vmId);
  const told = new Set<string>();
  let following: string | null = null;
  let isOver = false;
  let dirty = true;
  let wake: (() => void) | null = null;
  const touch = (): void => {
    dirty = true;
    wake?.();
  };
  const timer = setTimeout(() => {
    isOver = true;
    touch();
  }, seconds * 1_000);
  const unsubscribe = (['vms.changed', 'operation.changed', 'operation.ended'] as const).map((event) =>
    bus.on(event, touch),
  );
  signal?.addEventListener('abort', touch);
  try {
    let saidOn = false;
    while (!signal?.aborted) {
      dirty = false;
      const vm = vms.list().find(({ id }) => id === vmId);
      if (!vm) return yield { text: `"${name}" was removed.`, end: 'missed' };
      following = vm.operationId ?? following;
      if (following) for (const text of newsOf(operations.get(following), told)) yield { text, end: null };
      const end = endOf(vm, goal);
      if (end) return yield end;
      if (isOver) return yield { text: `"${name}" is ${vm.state} after ${seconds} s.`, end: 'missed' };
      if (isOn(vm) && !saidOn) {
        saidOn = true;
        yield { text: `"${name}" is on and has no address yet.`, end: null };
      }
      if (!dirty) await new Promise<void>((resolve) => (wake = resolve));
      wake = null;
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', touch);
    for (const end of unsubscribe) end();
  }
}
