/**
 * Drives that come late. After the power is back, an enclosure shows its drives one by one, some of them after Cairn has
 * started: an operation that was interrupted is judged by what is on its drives, so it waits for them for a while.
 */
import { publish, type Engine } from './engine';
import type { OperationRow } from './journal';
import { isFinished } from './reboot';
import { pauseFor } from './waiting';

/** So long after the start of the machine drives may still come: two spin-ups of a slow enclosure. */
const DRIVES_COME_MS = 90_000;
const LOOK_MS = 500;

/** Those that were there when it was planned and are not now. */
const missing = (engine: Engine, { prepared }: OperationRow): string[] =>
  prepared.drives
    .filter((drive) => engine.host.blockDevices.pathOf({ drive: drive.id }) === null)
    .map((drive) => `drive ${drive.serial ?? drive.id}`);

/**
 * Resolves when every drive that the operation needs is there, or when none is expected to come any more.
 * @param onWait called once, when one is missing
 * @returns what was seen, null when all were there from the beginning
 */
export async function awaitLateDrives(
  engine: Engine,
  operation: OperationRow,
  signal: AbortSignal,
  onWait: () => void,
): Promise<string | null> {
  const expected = missing(engine, operation);
  if (expected.length === 0 || engine.sinceBootMs() >= DRIVES_COME_MS) return null;
  onWait();
  const step = engine.journal.steps(operation.id).find((row) => !isFinished(row))?.index ?? 0;
  for (let absent = expected; absent.length > 0; absent = missing(engine, operation)) {
    if (engine.sinceBootMs() >= DRIVES_COME_MS || signal.aborted || engine.closed) {
      engine.progress.delete(operation.id);
      return `${absent.join(', ')} did not come back after the machine was started.`;
    }
    engine.progress.set(operation.id, {
      step,
      text: `Waits for ${absent.join(', ')}: the machine was started a moment ago.`,
      percent: null,
      stuck: true,
    });
    publish(engine, operation.id);
    await pauseFor(LOOK_MS, signal);
  }
  engine.progress.delete(operation.id);
  return `${expected.join(', ')} came a moment after the machine was started, and was waited for.`;
}
