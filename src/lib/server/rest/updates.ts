import { answer, json } from './answer';

/** The version that runs, and what was offered when somebody looked last. */
export const getUpdates = answer('viewer', ({ services }) => json(services.updates.view()));
/** Asks the channel now; changes nothing of the host. */
export const checkUpdates = answer('operator', async ({ services }) => json(await services.updates.check()));
