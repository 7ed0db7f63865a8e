/**
 * Named points where a test makes the process die, so that "kill -9 at any moment" is a finite list of cases.
 *
 * CAIRN_CRASH_AT holds comma-separated specs `point@kind/step:mode`; `*` matches any kind or step.
 * alone: Cairn dies, its child is first stopped (SIGSTOP) so that it is surely still there afterwards;
 * both: child and Cairn die together, as in a power cut; wait-MS: holds the runner that long (to cancel or look in time);
 * hold: until the file has no spec for the place any more; `point@kind/step` is appended to `<file>.reached` meanwhile.
 * `file:/path` reads the specs from that file at every point, so that one process can serve several cases.
 * Without the variable every call returns at once.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const CRASH_POINTS = [
  'recorded',
  'begun',
  'acting',
  'child-started',
  'child-running',
  'acted',
  'done',
  'undoing',
  'undo-child-running',
  'undo-acted',
  'undone',
  'ending',
  'ended',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

const HOLD_MS = 50;

interface Spec {
  point: string;
  kind: string;
  step: string;
  mode: string;
}
export interface Place {
  kind: string;
  step?: string;
  /** Process group of a child that runs now. */
  group?: number;
}

function parseSpecs(text: string): Spec[] {
  return text
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const match = /^([a-z-]+)@([a-z.*-]+)\/([a-z0-9*-]+):([a-z0-9-]+)$/.exec(part);
      if (!match) throw new TypeError(`CAIRN_CRASH_AT: "${part}" is not point@kind/step:mode`);
      const [, point = '', kind = '', step = '', mode = ''] = match;
      return { point, kind, step, mode };
    });
}

function signalGroup(group: number | undefined, signal: NodeJS.Signals): void {
  if (group === undefined) return;
  try {
    process.kill(-group, signal);
  } catch (error) {
    // The child may have ended in the meantime: that is one of the cases to be met.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function die(mode: string, place: Place): void {
  if (mode === 'alone') signalGroup(place.group, 'SIGSTOP');
  if (mode === 'both') signalGroup(place.group, 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
}

export interface CrashPoints {
  at(point: CrashPoint, place: Place): void;
  /** Like `at`, and honours wait-MS. */
  pause(point: CrashPoint, place: Place, signal?: AbortSignal): Promise<void>;
}

export function createCrashPoints(text: string): CrashPoints {
  const file = text.startsWith('file:') ? text.slice('file:'.length) : null;
  const fixed = file === null ? parseSpecs(text) : [];
  const match = (point: CrashPoint, place: Place): Spec | undefined =>
    (file === null ? fixed : parseSpecs(readFileSync(file, 'utf8').trim())).find(
      (spec) =>
        spec.point === point &&
        (spec.kind === '*' || spec.kind === place.kind) &&
        (spec.step === '*' || spec.step === place.step),
    );
  const points: CrashPoints = {
    at(point, place) {
      const spec = text === '' ? undefined : match(point, place);
      if (spec && spec.mode !== 'hold' && !spec.mode.startsWith('wait-')) die(spec.mode, place);
    },
    async pause(point, place, signal) {
      points.at(point, place);
      const spec = text === '' ? undefined : match(point, place);
      if (spec?.mode === 'hold' && file !== null) {
        appendFileSync(`${file}.reached`, `${point}@${place.kind}/${place.step ?? ''}\n`);
        while (match(point, place)?.mode === 'hold' && !signal?.aborted) await sleep(HOLD_MS);
        return;
      }
      if (!spec?.mode.startsWith('wait-')) return;
      const milliseconds = Number(spec.mode.slice('wait-'.length));
      // An abort ends the wait early and is reported by whoever owns the signal.
      await Promise.race([
        sleep(milliseconds),
        new Promise((done) => signal?.addEventListener('abort', done, { once: true })),
      ]);
    },
  };
  return points;
}
