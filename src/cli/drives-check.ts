/**
 * The last rule of `cairn plugins check`: the plugin makes, mounts, unmounts and removes pools on real (sandbox) drives, is cancelled at the
 * last step and killed at every step, forwards and on the way back. Whatever dies when: the machine is as before, or as was wanted,
 * and Cairn says which.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drive } from '$lib/shared/wire/drives';
import type { Operation } from '$lib/shared/wire/operations';
import type { PluginView, StagedPlugin } from '$lib/shared/wire/plugins';
import { DriveBench, VERBS, type TriedVerb } from './drives-bench';
import { Throwaway } from './throwaway';

const MOST_DRIVES = 8;
const INSTALL_MS = 10_000;

export interface DrivesResult {
  outcome: 'passed' | 'failed' | 'not-tried';
  details: string[];
  notes: string[];
}

async function install({ api }: Throwaway, folder: string): Promise<PluginView> {
  const { id, sha256, source } = await api.send<StagedPlugin>('POST', '/plugins/staged', { path: folder });
  const { operationId } = await api.send<{ operationId: string }>('POST', '/plugins', {
    ...{ sha256, source, trust: id },
  });
  let view: PluginView | undefined;
  for (const until = Date.now() + INSTALL_MS; !view?.available && Date.now() < until; await sleep(50)) {
    const operation = await api.get<Operation>(`/operations/${operationId}`);
    if (operation.error) throw new Error(operation.error.message);
    view = (await api.get<{ plugins: PluginView[] }>('/plugins')).plugins.find((one) => one.id === id);
  }
  if (view?.available) return view;
  throw new Error(view?.reason ?? 'it was not there after it was installed');
}

/** Whether all of it was tried, and how it went. */
function judge(wrong: string[], verbs: readonly TriedVerb[]): Pick<DrivesResult, 'outcome' | 'details'> {
  if (wrong.length > 0) return { outcome: 'failed', details: wrong };
  return verbs.length < VERBS.length
    ? { outcome: 'not-tried', details: [`Only this was tried, and is right: ${verbs.join(', ')}.`] }
    : { outcome: 'passed', details: [] };
}

/**
 * @param verbs that are tried; all, for the grade
 * @param checkout the folder that holds Cairn
 * @param say what is tried now, for people
 */
export async function checkOnDrives(
  folder: string,
  verbs: readonly TriedVerb[],
  { checkout, say }: { checkout: string; say: (text: string) => void },
): Promise<DrivesResult> {
  const begun = performance.now();
  const cairn = new Throwaway(checkout, MOST_DRIVES);
  const stop = (): void => void cairn.remove().then(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await cairn.start();
    const plugin = await install(cairn, folder);
    const layouts = plugin.layouts.filter(({ minDrives, maxDrives }) => minDrives > 0 && maxDrives !== 0);
    const tried = layouts.filter(({ minDrives }) => minDrives <= MOST_DRIVES);
    if (plugin.kind !== 'storage' || tried.length === 0)
      return { outcome: 'not-tried', details: ['It makes no pools of drives.'], notes: [] };
    const { drives } = await cairn.api.get<{ drives: Drive[] }>('/drives');
    const serials = drives.flatMap(({ sandbox, serial }) => (sandbox && serial !== null ? [serial] : []));
    const wrong: string[] = [];
    let kills = 0;
    for (const layout of tried) {
      const bench = new DriveBench(cairn, plugin.id, layout, serials);
      try {
        wrong.push(...(await bench.run(verbs, say)));
      } catch (error) {
        wrong.push(`${layout.id}: ${error instanceof Error ? error.message : String(error)}`);
        break;
      } finally {
        kills += bench.tried;
      }
    }
    const seconds = Math.round((performance.now() - begun) / 1_000);
    const what = tried.map(({ id }) => id).join(', ');
    return {
      ...judge(wrong, verbs),
      notes: [`On drives: ${what}; killed ${kills} times, in ${seconds} s.`],
    };
  } catch (error) {
    return {
      outcome: 'failed',
      details: [error instanceof Error ? error.message : String(error)],
      notes: [],
    };
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await cairn.remove();
  }
}
