import { findHandle } from '../handle';
import { json } from './answer';

/** Alive: the process answers. Nothing else is asked, so that a watchdog never ends a busy but healthy server. */
export const health = (): Response => json({ status: 'ok' });

/** Ready to be used: 503 with the reasons until what was interrupted is recovered, and again while stopping. */
export function readiness(): Response {
  const state = findHandle()?.readiness() ?? { ready: false, reasons: ['Cairn is starting.'] };
  return json(state, state.ready ? 200 : 503);
}
