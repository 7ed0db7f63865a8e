/** From a request to scrub, balance or let go of a pool to its plan. Nothing is changed. */
import type { PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { Step } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { ChangeVerb } from '$lib/shared/wire/pool-changes';
import { AppError } from '../errors';
import type { Prepared } from '../operations/types';
import type { PoolDeps } from './deps';
import { freeMountPoint, stopKeeping } from './keep-mounted';
import { changeableOf, parseChange } from './prepare-members';
import { mountAgain, preparedOf, refuseWhileUsed, subjectOf } from './subject';

type WorkVerb = Extract<ChangeVerb, `${'start' | 'stop' | 'clear'}-${string}`>;

const WORK: Record<
  WorkVerb,
  {
    title: (label: string) => string;
    plan: (plugin: StoragePlugin) => ((spec: PoolSpec) => Step[]) | undefined;
  }
> = {
  'start-scrub': {
    title: (label) => `Start a scrub of pool "${label}"`,
    plan: (plugin) => plugin.startScrub,
  },
  'stop-scrub': { title: (label) => `Stop the scrub of pool "${label}"`, plan: (plugin) => plugin.stopScrub },
  'start-balance': {
    title: (label) => `Start a balance of pool "${label}"`,
    plan: (plugin) => plugin.startBalance,
  },
  'stop-balance': {
    title: (label) => `Stop the balance of pool "${label}"`,
    plan: (plugin) => plugin.stopBalance,
  },
  'clear-errors': {
    title: (label) => `Clear the error counters of pool "${label}"`,
    plan: (plugin) => plugin.clearErrors,
  },
};

/** The operation ends when the kernel has begun or stopped; the work itself is seen, not owned. */
export const prepareWork =
  (verb: WorkVerb) =>
  async (deps: PoolDeps, raw: JsonObject): Promise<Prepared> => {
    const request = parseChange(verb, raw);
    const subject = await changeableOf(deps, verb, request.poolGroupGuid);
    const { plugin, spec } = subject;
    return preparedOf(subject, {
      title: WORK[verb].title(spec.label),
      steps: () => [...mountAgain(deps, subject), ...(WORK[verb].plan(plugin)?.call(plugin, spec) ?? [])],
    });
  };

export async function prepareRelease(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parseChange('release', raw);
  const subject = await subjectOf(deps, request.poolGroupGuid, ['ready', 'unmounted', 'error']);
  const { plugin, spec } = subject;
  const release = plugin.release ?? plugin.unmount;
  if (!release) throw new AppError('not_supported', `${plugin.name} pools cannot be let go of.`);
  await refuseWhileUsed(deps, spec);
  return preparedOf(subject, {
    title: `Release pool "${spec.label}"`,
    steps: () => release.call(plugin, spec),
    around: (steps) => freeMountPoint(spec, stopKeeping(deps.config, spec, steps)),
    notes: [
      'Everything stays on its drives. Cairn forgets the pool; it can be moved to another machine, or adopted again here.',
    ],
  });
}
