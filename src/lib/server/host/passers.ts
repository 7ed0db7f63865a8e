/**
 * Those of ours who only look into a pool. What they have open would keep it from being unmounted, so they leave as soon as
 * somebody asks who uses it, before the answer is given, and do not come back for a moment: time enough for whoever asked
 * to take the pool.
 */
import { AppError } from '../errors';

const STAY_AWAY_MS = 2_000;

interface Passer {
  path: string;
  leave: AbortController;
  left: Promise<unknown>;
}
const passers = new Set<Passer>();
/** By path: until when nobody passes, on the clock of performance.now(). */
const kept = new Map<string, number>();

const isAtOrBelow = (path: string, mountPath: string): boolean =>
  path === mountPath || path.startsWith(mountPath === '/' ? '/' : `${mountPath}/`);

const madeWay = (path: string): AppError =>
  new AppError('made_way', `Looking into ${path} made way for what is about to be done to its pool.`);

function isKept(path: string): boolean {
  for (const [mountPath, until] of kept) {
    if (until < performance.now()) kept.delete(mountPath);
    else if (isAtOrBelow(path, mountPath)) return true;
  }
  return false;
}

/**
 * @param work ends soon after its signal is aborted, with everything closed
 * @throws AppError made_way; what `work` throws
 */
export async function passThrough<T>(path: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (isKept(path)) throw madeWay(path);
  const leave = new AbortController();
  const working = work(leave.signal);
  const passer: Passer = { path, leave, left: working };
  passers.add(passer);
  try {
    return await working;
  } catch (error) {
    throw leave.signal.aborted ? madeWay(path) : error;
  } finally {
    passers.delete(passer);
  }
}

/** Resolves when none of ours is at or below the path any more. */
export async function askToLeave(mountPath: string): Promise<void> {
  kept.set(mountPath, performance.now() + STAY_AWAY_MS);
  const asked = [...passers].filter(({ path }) => isAtOrBelow(path, mountPath));
  for (const { leave } of asked) leave.abort(madeWay(mountPath));
  await Promise.allSettled(asked.map(({ left }) => left));
}
