/** Scrub, balance and letting go of a btrfs pool; and what does not fit it now. Pure. */
import type { Look, Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { ChangeVerb, PoolReading, PoolSpec } from '../../src/lib/plugin-api/storage';
import {
  balanceCommand,
  cancelBalanceCommand,
  cancelScrubCommand,
  profilesOf,
  resetStatsCommand,
  scrubCommand,
} from './btrfs';

/** An empty pool is scrubbed before anybody can look. */
const working = (id: string, name: 'scrubbing' | 'balancing', spec: PoolSpec): Look => ({
  look: `${id}/${name}`,
  args: { mountPath: spec.mountPath },
});

export const upkeepPlansOf = (sdk: PluginSdk, id: string) => ({
  startScrub: (spec: PoolSpec): Step[] => [
    {
      name: 'start-scrub',
      title: 'Begin to read and check every copy',
      run: scrubCommand(spec.mountPath),
      undo: [cancelScrubCommand(spec.mountPath)],
      look: { ...working(id, 'scrubbing', spec), fleeting: true },
    },
  ],
  stopScrub: (spec: PoolSpec): Step[] => [
    {
      name: 'stop-scrub',
      title: 'Stop the scrub',
      run: cancelScrubCommand(spec.mountPath),
      undo: 'nothing',
      look: sdk.not(working(id, 'scrubbing', spec)),
    },
  ],
  startBalance: (spec: PoolSpec): Step[] => [
    {
      name: 'start-balance',
      title: 'Begin to write everything anew over all drives',
      run: balanceCommand(profilesOf(spec.layout, spec.drives.length), spec.mountPath),
      undo: [cancelBalanceCommand(spec.mountPath)],
      look: {
        ...working(id, 'balancing', spec),
        args: { mountPath: spec.mountPath, starting: true },
        fleeting: true,
      },
    },
  ],
  stopBalance: (spec: PoolSpec): Step[] => [
    {
      name: 'stop-balance',
      title: 'Stop the balance; what was written anew stays so',
      run: cancelBalanceCommand(spec.mountPath),
      undo: 'nothing',
      look: sdk.not(working(id, 'balancing', spec)),
    },
  ],
  clearErrors: (spec: PoolSpec): Step[] => [
    {
      name: 'clear-errors',
      title: 'Let the error counters of its drives begin at zero again',
      run: resetStatsCommand(spec.mountPath),
      undo: 'impossible',
      look: sdk.not({ look: `${id}/counted`, args: { mountPath: spec.mountPath, uuid: spec.guid } }),
    },
  ],
});

/** btrfs does one of these at a time (btrfs(5), exclusive operations). */
const EXCLUSIVE: readonly string[] = ['rebuild', 'balance', 'evacuate'];
const STARTS_EXCLUSIVE: readonly ChangeVerb[] = ['expand', 'replace', 'remove-drive', 'start-balance'];

export function refusal(verb: ChangeVerb, spec: PoolSpec, reading: PoolReading | null): string | null {
  if (!reading?.mounted) return 'Mount the pool first: btrfs does this while it is mounted.';
  const busy = reading.work?.find((work) => EXCLUSIVE.includes(work.kind));
  if (busy && STARTS_EXCLUSIVE.includes(verb))
    return `btrfs does one thing at a time, and is at this: ${busy.title}. Wait until it has ended, or stop it.`;
  const missing = spec.drives.filter((drive) => !drive.present);
  if (missing.length > 0 && (verb === 'expand' || verb === 'start-balance'))
    return `Drive ${missing.map((drive) => drive.serial ?? drive.label).join(', ')} is missing. Replace it first.`;
  if (verb === 'replace' && spec.layout === 'single' && missing.length > 0)
    return 'What was on the missing drive has no second copy to rebuild from.';
  return null;
}
